// A list that is short and walked from its beginning each time.
//
// When a fleet starts, the apps may not be there yet: what says so (502, 503, 504, an answer that
// does not come, a stale one) is asked for again until the time is over. Everything else is final.
#include "warm_plan.h"

#include <stdlib.h>

#include "common/mem.h"
#include "grammar.h"

void warm_plan_init(struct warm_plan *plan, size_t count, uint64_t now_ms, uint64_t timeout_ms)
{
    *plan = (struct warm_plan){.items = mem_zalloc(count, sizeof(*plan->items)),
                               .count = count,
                               .started_ms = now_ms,
                               .deadline_ms = now_ms + timeout_ms};
}

void warm_plan_fini(struct warm_plan *plan)
{
    free(plan->items);
    plan->items = NULL;
}

size_t warm_plan_next(struct warm_plan *plan, uint64_t now_ms)
{
    for (size_t i = 0; i < plan->count && plan->running < WARM_AT_ONCE; ++i) {
        struct warm_item *item = &plan->items[i];
        if (item->state != WARM_WAITING || item->not_before_ms > now_ms)
            continue;
        item->state = WARM_RUNNING;
        ++plan->running;
        return i;
    }
    return WARM_NONE;
}

static bool is_success(int status)
{
    return status >= 200 && status <= 299;
}

static bool is_failure_of_upstream(const struct warm_answer *answer)
{
    return answer->status == 0 || (answer->status >= 502 && answer->status <= 504) ||
           grammar_equal(answer->cache_word, SPAN("stale"));
}

static enum warm_state judge(struct warm_item *item, const struct warm_answer *answer)
{
    if (is_success(answer->status) && grammar_equal(answer->cache_word, SPAN("hit")))
        return WARM_WARM;
    if (is_failure_of_upstream(answer))
        return WARM_WAITING;
    if (is_success(answer->status) && grammar_equal(answer->cache_word, SPAN("miss")) &&
        ++item->misses < WARM_MISSES)
        return WARM_WAITING;
    return WARM_REFUSED;
}

void warm_plan_end(struct warm_plan *plan, size_t index, const struct warm_answer *answer,
                   uint64_t now_ms)
{
    struct warm_item *item = &plan->items[index];
    --plan->running;
    item->status = answer->status;
    item->state = judge(item, answer);
    item->not_before_ms = is_failure_of_upstream(answer) ? now_ms + WARM_PAUSE_MS : now_ms;
}

bool warm_plan_is_over(const struct warm_plan *plan, uint64_t now_ms)
{
    if (now_ms >= plan->deadline_ms)
        return true;
    for (size_t i = 0; i < plan->count; ++i)
        if (plan->items[i].state == WARM_WAITING || plan->items[i].state == WARM_RUNNING)
            return false;
    return true;
}

size_t warm_plan_count_warm(const struct warm_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->count; ++i)
        if (plan->items[i].state == WARM_WARM)
            ++count;
    return count;
}

const char *warm_plan_reason(const struct warm_item *item)
{
    if (item->state != WARM_REFUSED)
        return "not in time";
    if (!is_success(item->status))
        return "no answer that is stored";
    return item->misses > 0 ? "the answer forbids to store it" : "it goes past the cache";
}
