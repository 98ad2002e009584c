// The rules of memory_cap.h. Who measures, and what a verdict leads to, is memory_watch.c's.

#include "memory_cap.h"

enum { PAUSE_MS = 10000 };

struct memory_cap memory_cap_of(const struct app_config *config)
{
    uint64_t soft = (uint64_t)config->max_memory_restart_bytes;
    uint64_t hard = (uint64_t)config->max_memory_kill_bytes;
    return (struct memory_cap){soft, hard > 0 ? hard : soft + soft / 2};
}

uint64_t memory_cap_lowest(const struct memory_cap *cap)
{
    uint64_t lowest = cap->kill_bytes > 0 ? cap->kill_bytes : UINT64_MAX;
    return cap->reload_bytes > 0 && cap->reload_bytes < lowest ? cap->reload_bytes : lowest;
}

enum memory_verdict memory_cap_judge(const struct memory_cap *cap, uint64_t bytes,
                                     uint64_t tried_ms, uint64_t now_ms)
{
    if (cap->kill_bytes > 0 && bytes > cap->kill_bytes)
        return MEMORY_KILL;
    if (cap->reload_bytes == 0 || bytes <= cap->reload_bytes)
        return MEMORY_FINE;
    return tried_ms > 0 && now_ms - tried_ms < PAUSE_MS ? MEMORY_FINE : MEMORY_RELOAD;
}
