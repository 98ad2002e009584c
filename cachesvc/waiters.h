// Who waits for a lock to be free (CACHE.WAIT). Two clocks, both in ms: locks are keys and expire
// by the wall clock, patience ends by the monotonic one.
#ifndef GW_CACHESVC_WAITERS_H
#define GW_CACHESVC_WAITERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

// Public to be embedded.
struct waiter {
    struct waiter *before, *after;
    char *lock; // the key of the lock; NULL: it does not wait
    size_t length;
    uint64_t deadline_ms; // monotonic
    bool is_due;          // `answer` is what it waited for
    bool answer;
};

struct waiters {
    struct waiter *first, *last;
    size_t count;
    size_t due;
};

// Copies the key.
void waiters_add(struct waiters *waiters, struct waiter *waiter, const char *lock, size_t length,
                 uint64_t deadline_ms);
void waiters_remove(struct waiters *waiters, struct waiter *waiter); // one not added is allowed

// This lock was released just now.
void waiters_release(struct waiters *waiters, const char *lock, size_t length);

// Looks for locks that went by themselves, and for patience that ended.
void waiters_check(struct waiters *waiters, struct store *store, uint64_t wall_ms,
                   uint64_t mono_ms);

// All waiting is over, without success.
void waiters_give_up(struct waiters *waiters);

// One that is due; the caller takes it out. NULL: there is none.
struct waiter *waiters_due(const struct waiters *waiters);

// How long after one waiters_check the next should come.
uint64_t waiters_pause_ms(const struct waiters *waiters);

#endif
