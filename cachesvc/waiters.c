// Waiters in a list, in the order in which they came. Looking at all of them costs little, so it is
// done rarely enough not to matter when they are many.
#include "waiters.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { PAUSE_MS = 10, WAITERS_A_MS = 100 };

void waiters_add(struct waiters *waiters, struct waiter *waiter, const char *lock, size_t length,
                 uint64_t deadline_ms)
{
    *waiter = (struct waiter){.before = waiters->last,
                              .lock = mem_alloc(length + 1),
                              .length = length,
                              .deadline_ms = deadline_ms};
    memcpy(waiter->lock, lock, length);
    if (waiters->last)
        waiters->last->after = waiter;
    else
        waiters->first = waiter;
    waiters->last = waiter;
    waiters->count++;
}

void waiters_remove(struct waiters *waiters, struct waiter *waiter)
{
    if (!waiter->lock)
        return;
    if (waiter->before)
        waiter->before->after = waiter->after;
    else
        waiters->first = waiter->after;
    if (waiter->after)
        waiter->after->before = waiter->before;
    else
        waiters->last = waiter->before;
    waiters->count--;
    waiters->due -= waiter->is_due;
    free(waiter->lock);
    *waiter = (struct waiter){.lock = NULL};
}

static void end(struct waiters *waiters, struct waiter *waiter, bool answer)
{
    if (waiter->is_due)
        return;
    waiter->is_due = true;
    waiter->answer = answer;
    waiters->due++;
}

void waiters_release(struct waiters *waiters, const char *lock, size_t length)
{
    for (struct waiter *w = waiters->first; w; w = w->after)
        if (w->length == length && memcmp(w->lock, lock, length) == 0)
            end(waiters, w, true);
}

void waiters_check(struct waiters *waiters, struct store *store, uint64_t wall_ms, uint64_t mono_ms)
{
    struct store_value value;
    for (struct waiter *w = waiters->first; w; w = w->after) {
        if (!store_peek(store, w->lock, w->length, wall_ms, &value))
            end(waiters, w, true);
        else if (w->deadline_ms <= mono_ms)
            end(waiters, w, false);
    }
}

void waiters_give_up(struct waiters *waiters)
{
    for (struct waiter *w = waiters->first; w; w = w->after)
        end(waiters, w, false);
}

struct waiter *waiters_due(const struct waiters *waiters)
{
    struct waiter *waiter = waiters->due > 0 ? waiters->first : NULL;
    while (waiter && !waiter->is_due)
        waiter = waiter->after;
    return waiter;
}

uint64_t waiters_pause_ms(const struct waiters *waiters)
{
    return PAUSE_MS + waiters->count / WAITERS_A_MS;
}
