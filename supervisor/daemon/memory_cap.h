// What an app's memory caps mean for a process that uses so much. Pure.
#ifndef GW_SUPERVISOR_MEMORY_CAP_H
#define GW_SUPERVISOR_MEMORY_CAP_H

#include <stdint.h>

#include "common/app_config.h"

struct memory_cap {
    uint64_t reload_bytes; // 0: none
    uint64_t kill_bytes;   // 0: none
};

enum memory_verdict { MEMORY_FINE, MEMORY_RELOAD, MEMORY_KILL };

// The caps of an app; without max_memory_kill its process is killed at one and a half of
// max_memory_restart.
struct memory_cap memory_cap_of(const struct app_config *config);

// The least that is too much; UINT64_MAX: nothing is.
uint64_t memory_cap_lowest(const struct memory_cap *cap);

// `tried_ms`: when a reload for this was last begun in its slot (0: never), as now_ms. After one
// the next waits, so that an app that needs more than its cap is not reloaded all the time.
enum memory_verdict memory_cap_judge(const struct memory_cap *cap, uint64_t bytes,
                                     uint64_t tried_ms, uint64_t now_ms);

#endif
