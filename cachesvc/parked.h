// Commands that were read but cannot run yet, in their order: the first waits for Redis, and so may
// some of those behind it, all at once. No I/O.
#ifndef GW_CACHESVC_PARKED_H
#define GW_CACHESVC_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "resp.h"

struct mirror_answer;
struct mirror_wait;

enum parked_state {
    PARKED_HELD,    // not asked for: it comes after what the others do
    PARKED_WAITING, // for Redis
    PARKED_READY,   // to run, or with a reply
};

// Public for connection.c. The args and their bytes are in the same piece of memory.
struct parked {
    struct parked *next;
    void *owner;
    enum parked_state state;
    struct mirror_wait *wait; // while it waits
    uint64_t drops;           // of the mirror, when it was asked for
    bool was_asked_again;
    bool has_reply; // READY, and Redis did it
    struct buf reply;
    uint64_t purged;
    size_t count;
    struct resp_arg args[];
};

// Public to be embedded; zeroed, it is empty.
struct parked_row {
    struct parked *first, *last;
    size_t count;
};

enum { PARKED_MAX = 128 }; // of a connection

// A command with copies of its args, at the end of the row.
struct parked *parked_add(struct parked_row *row, void *owner, const struct resp_arg *args,
                          size_t count, enum parked_state state);

// The answer came.
void parked_answer(struct parked *parked, const struct mirror_answer *answer);

// The one that was taken comes first again, and waits.
void parked_put_back(struct parked_row *row, struct parked *parked, struct mirror_wait *wait);

// Whether no command may be added: there are many, or the last one is held.
bool parked_is_full(const struct parked_row *row);

// The first one, which is the caller's then; NULL: there is none that could run.
struct parked *parked_take(struct parked_row *row);
void parked_free(struct parked *parked);

// Nobody waits any more.
void parked_clear(struct parked_row *row);

#endif
