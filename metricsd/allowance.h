// A token bucket: `burst` at once, then `rate` a second. Pure.
#ifndef GW_METRICSD_ALLOWANCE_H
#define GW_METRICSD_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

struct allowance {
    uint32_t rate, burst;
    uint64_t thousandths; // of tokens left
    uint64_t since_ms;    // when that was
};

void allowance_init(struct allowance *allowance, uint32_t rate, uint32_t burst, uint64_t now_ms);

// Takes a token, if there is one.
bool allowance_take(struct allowance *allowance, uint64_t now_ms);

// How long until the next one, in whole seconds, at least 1.
unsigned allowance_retry_after_s(const struct allowance *allowance);

#endif
