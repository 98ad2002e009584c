// How long to wait before the next try: the first wait, times a factor each, up to a limit.
// Pure: the caller owns the clock.
#ifndef GW_COMMON_BACKOFF_H
#define GW_COMMON_BACKOFF_H

#include <stdint.h>

// Written by whoever owns it; the factor is in percent (150 = × 1.5), rounded down as PM2 does.
struct backoff_policy {
    uint32_t first_ms;
    uint32_t limit_ms;
    uint32_t factor_percent;
};

struct backoff {
    uint32_t previous_ms; // 0: nothing waited yet
};

// The wait before the next try, in ms; remembers it. With policy {100, 15000, 150}: 100, 150, 225,
// 337, 505, ... 15000.
uint32_t backoff_next(struct backoff *backoff, const struct backoff_policy *policy);

// Forget: the next wait is the first one again.
void backoff_reset(struct backoff *backoff);

#endif
