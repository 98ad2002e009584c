// The arithmetic of backoff.h.

#include "common/backoff.h"

uint32_t backoff_next(struct backoff *backoff, const struct backoff_policy *policy)
{
    uint64_t wait = backoff->previous_ms == 0
                        ? policy->first_ms
                        : (uint64_t)backoff->previous_ms * policy->factor_percent / 100;
    if (wait > policy->limit_ms)
        wait = policy->limit_ms;
    backoff->previous_ms = (uint32_t)wait;
    return backoff->previous_ms;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->previous_ms = 0;
}
