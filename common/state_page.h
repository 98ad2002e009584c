// The state page: how workers are right now, in memory that outlives them. A memfd made by the
// supervisor (sealed GROW and SHRINK, kept by the keeper) and mapped by every gateway worker. What
// they have done so far is in the metrics page (metrics_page.h).
//
// One column a worker process: its only writer is that process, so nothing here needs a lock and
// nothing is held by a process that was killed. The supervisor hands out columns and zeroes one
// when its process is gone. What a worker wrote is foreign input to whoever reads it.
#ifndef GW_COMMON_STATE_PAGE_H
#define GW_COMMON_STATE_PAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/layout.h"

enum { STATE_COLUMNS = 512, STATE_ENDPOINTS = 1024, STATE_TOUCHES = 512 };

#define STATE_MAGIC UINT64_C(0x3145544154535747) // "GWSTATE1"
#define STATE_VERSION LAYOUT_VERSION(4)

struct state_column {
    _Atomic uint64_t heartbeat_ms; // clock_mono_ms of the worker's last loop turn
    // The longest turn of its loop in the last full second, to a millisecond. 0: it had next to
    // nothing to do.
    _Atomic uint64_t loop_lag_us;
    _Atomic uint32_t connections;                         // open client connections
    _Atomic uint32_t in_flight;                           // requests being worked on
    _Atomic uint32_t endpoint_in_flight[STATE_ENDPOINTS]; // by the endpoint's index
    // Hashes (segment_hash) of keys that were read, the last STATE_TOUCHES of them, and how many
    // there have been: cachesvc learns from them what is popular. Some may be lost.
    _Atomic uint32_t touch_count;
    _Atomic uint64_t touched[STATE_TOUCHES];
};

struct state_page {
    uint64_t magic;
    uint32_t version;
    uint32_t columns;
    uint32_t endpoints;
    uint32_t checksum; // over the fields before it
    struct state_column column[STATE_COLUMNS];
};

// A new page: memfd (close-on-exec), sized, sealed, header written. Returns the fd or -1.
int state_page_create(struct err *err) GW_MUST_USE;

// Maps a page read-write and checks size and header. Borrows fd. NULL on failure.
struct state_page *state_page_map(int fd, struct err *err) GW_MUST_USE;
void state_page_unmap(struct state_page *page); // NULL is allowed

// Back to zero, when the column's process is gone (or before it gets one).
void state_column_clear(struct state_page *page, size_t column);

// Requests in flight at an endpoint, summed over all columns.
uint64_t state_endpoint_in_flight(const struct state_page *page, size_t endpoint);

#endif
