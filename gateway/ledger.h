// What is written down about each request that was answered, whoever has answered it: it is
// counted, once, kept among the last errors if it was one, and has a line in the access log.
#ifndef GW_GATEWAY_LEDGER_H
#define GW_GATEWAY_LEDGER_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "span.h"

struct access_log;
struct metrics;

struct ledger {
    struct metrics *metrics; // borrowed
    struct access_log *log;  // the same; NULL: none is wanted
    bool hashes_addresses;   // those of clients, among the errors
    // ledger.c's own: how far the wall clock is from the other one, and when that was looked up.
    uint64_t wall_ahead_us, compared_us;
};

// Every request that libh2o ends on this path is written down. The ledger is borrowed.
void ledger_install(h2o_pathconf_t *path, struct ledger *ledger);

// A 408, which libh2o knows nothing of: nobody understood what was asked. `waited_us`: for the
// client; `bytes`: of the answer's body.
void ledger_note_timeout(struct ledger *ledger, struct span peer, uint64_t waited_us,
                         uint64_t bytes);

#endif
