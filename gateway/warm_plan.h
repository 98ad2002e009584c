// Warming, without doing it: which URL is asked for next, what an answer means, and when that is
// it. Time is a parameter.
//
//   WAITING --next--> RUNNING --end--> WARM, REFUSED, or WAITING again for a while
#ifndef GW_GATEWAY_WARM_PLAN_H
#define GW_GATEWAY_WARM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "span.h"

enum {
    WARM_AT_ONCE = 4,    // URLs
    WARM_PAUSE_MS = 100, // before an upstream that had no answer is asked again
    WARM_MISSES = 3,     // in a row: the answer is not one that is stored
};

#define WARM_NONE SIZE_MAX

enum warm_state { WARM_WAITING, WARM_RUNNING, WARM_WARM, WARM_REFUSED };

// What a request for a URL came to.
struct warm_answer {
    int status;             // 0: none came
    struct span cache_word; // the value of X-Cache; empty: it has none
};

struct warm_item {
    enum warm_state state;
    uint64_t not_before_ms;
    unsigned misses;
    int status; // of the last answer
};

struct warm_plan {
    struct warm_item *items;
    size_t count, running;
    uint64_t started_ms, deadline_ms;
};

void warm_plan_init(struct warm_plan *plan, size_t count, uint64_t now_ms, uint64_t timeout_ms);
void warm_plan_fini(struct warm_plan *plan);

// The URL that is asked for now, and counts as running until warm_plan_end; WARM_NONE: none is.
size_t warm_plan_next(struct warm_plan *plan, uint64_t now_ms);

// A request has ended. Only a hit proves that the answer is stored; so after a miss it is asked for
// once more at once.
void warm_plan_end(struct warm_plan *plan, size_t index, const struct warm_answer *answer,
                   uint64_t now_ms);

// Nothing is left to do, or the time is over.
bool warm_plan_is_over(const struct warm_plan *plan, uint64_t now_ms);

size_t warm_plan_count_warm(const struct warm_plan *plan);

// Why a URL is not warm, for the log: a constant.
const char *warm_plan_reason(const struct warm_item *item);

#endif
