// The rules of restart_policy.h.

#include "restart_policy.h"

enum { HOUR_MS = 3600000 };

static void forget_unstable(struct restart_history *history)
{
    history->unstable = 0;
    backoff_reset(&history->backoff);
}

void restart_history_reset(struct restart_history *history)
{
    forget_unstable(history);
    history->recent_count = history->recent_next = 0;
    history->storm = false;
}

void restart_history_note(struct restart_history *history, uint64_t now_ms)
{
    history->recent_ms[history->recent_next] = now_ms;
    history->recent_next = (history->recent_next + 1) % RESTART_STORM;
    if (history->recent_count < RESTART_STORM)
        history->recent_count++;
}

static unsigned count_last_hour(const struct restart_history *history, uint64_t now_ms)
{
    unsigned count = 0;
    for (unsigned i = 0; i < history->recent_count; i++)
        count += now_ms - history->recent_ms[i] < HOUR_MS;
    return count;
}

// Between the two limits it stays what it is: one attempt a minute must not look like calm.
static void look_for_storm(struct restart_history *history, uint64_t now_ms)
{
    unsigned count = count_last_hour(history, now_ms);
    if (count >= RESTART_STORM)
        history->storm = true;
    else if (count <= RESTART_STORM / 2)
        history->storm = false;
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
        forget_unstable(history);
        *delay_ms = policy->delay_ms;
    } else {
        history->unstable++;
        if (policy->max_restarts >= 0 && history->unstable >= policy->max_restarts)
            return RESTART_GIVE_UP;
        *delay_ms = next_delay(policy, history);
    }
    if (policy->ends_storms)
        look_for_storm(history, exit->now_ms);
    if (history->storm && *delay_ms < RESTART_STORM_WAIT_MS)
        *delay_ms = RESTART_STORM_WAIT_MS;
    restart_history_note(history, exit->now_ms);
    return *delay_ms > 0 ? RESTART_LATER : RESTART_NOW;
}
