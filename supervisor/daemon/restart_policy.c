// The rules of restart_policy.h.

#include "restart_policy.h"

void restart_history_reset(struct restart_history *history)
{
    history->unstable = 0;
    backoff_reset(&history->backoff);
}

static uint32_t next_delay(const struct restart_policy *policy, struct restart_history *history)
{
    if (policy->delay_ms > 0)
        return policy->delay_ms;
    if (history->unstable == 1 && policy->first_at_once)
        return 0;
    return backoff_next(&history->backoff, &policy->backoff);
}

enum restart_verdict restart_decide(const struct restart_policy *policy,
                                    struct restart_history *history,
                                    const struct restart_exit *exit, uint32_t *delay_ms)
{
    *delay_ms = 0;
    if (exit->again_wanted)
        return RESTART_NOW;
    if (exit->stop_wanted || !policy->autorestart)
        return RESTART_NO;
    if (!exit->forced && exit_set_has(&policy->stop_exits, exit->status))
        return RESTART_NO;
    if (exit->was_ready && exit->uptime_ms >= policy->min_uptime_ms) {
        restart_history_reset(history);
        *delay_ms = policy->delay_ms;
        return *delay_ms > 0 ? RESTART_LATER : RESTART_NOW;
    }
    history->unstable++;
    if (policy->max_restarts >= 0 && history->unstable >= policy->max_restarts)
        return RESTART_GIVE_UP;
    *delay_ms = next_delay(policy, history);
    return *delay_ms > 0 ? RESTART_LATER : RESTART_NOW;
}
