// Keeps a complaint that every request could make from filling the log: one a second. Pure.
#ifndef GW_GATEWAY_THROTTLE_H
#define GW_GATEWAY_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

enum { THROTTLE_MS = 1000 };

// Zero-initialise.
struct throttle {
    uint64_t next_ms;
    unsigned hidden; // since the last one that was let through
};

// May it be logged now? Then *hidden is how many were not since the last time.
static inline bool throttle_allows(struct throttle *throttle, uint64_t now_ms, unsigned *hidden)
{
    if (now_ms < throttle->next_ms) {
        ++throttle->hidden;
        return false;
    }
    *hidden = throttle->hidden;
    throttle->hidden = 0;
    throttle->next_ms = now_ms + THROTTLE_MS;
    return true;
}

#endif
