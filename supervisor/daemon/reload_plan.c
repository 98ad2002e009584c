// The table and the rules of reload_plan.h.

#include "reload_plan.h"

#include <stdlib.h>

#include "common/mem.h"

static const enum reload_step table[RELOAD_STEPS][RELOAD_EVENTS] = {
    [RELOAD_PENDING] = {[RELOAD_EV_BEGIN] = RELOAD_STARTING},
    [RELOAD_STARTING] = {[RELOAD_EV_READY] = RELOAD_HOLDING, [RELOAD_EV_LOST] = RELOAD_FAILED},
    [RELOAD_HOLDING] = {[RELOAD_EV_HELD] = RELOAD_SWITCHING, [RELOAD_EV_LOST] = RELOAD_FAILED},
    // From here on the old process is on its way out: a crash of the new one is an ordinary crash.
    [RELOAD_SWITCHING] = {[RELOAD_EV_SWITCHED] = RELOAD_DRAINING, [RELOAD_EV_GONE] = RELOAD_DONE},
    [RELOAD_DRAINING] = {[RELOAD_EV_DRAINED] = RELOAD_STOPPING, [RELOAD_EV_GONE] = RELOAD_DONE},
    [RELOAD_STOPPING] = {[RELOAD_EV_GONE] = RELOAD_DONE},
};

void reload_plan_init(struct reload_plan *plan, size_t count, size_t parallel)
{
    plan->steps = mem_zalloc(count + 1, sizeof *plan->steps);
    plan->count = count;
    plan->parallel = parallel > 0 ? parallel : 1;
    plan->failed = false;
    for (size_t i = 0; i < count; i++)
        plan->steps[i] = RELOAD_PENDING;
}

void reload_plan_fini(struct reload_plan *plan)
{
    free(plan->steps);
    *plan = (struct reload_plan){0};
}

enum reload_step reload_plan_event(struct reload_plan *plan, size_t slot, enum reload_event event)
{
    enum reload_step next = table[plan->steps[slot]][event];
    if (next != RELOAD_STAY)
        plan->steps[slot] = next;
    if (next == RELOAD_FAILED)
        plan->failed = true;
    return plan->steps[slot];
}

static bool under_way(enum reload_step step)
{
    return step != RELOAD_PENDING && step != RELOAD_DONE && step != RELOAD_FAILED;
}

static size_t count_under_way(const struct reload_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->count; i++)
        count += under_way(plan->steps[i]) ? 1 : 0;
    return count;
}

bool reload_plan_next(const struct reload_plan *plan, size_t *slot)
{
    if (plan->failed || count_under_way(plan) >= plan->parallel)
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->steps[i] == RELOAD_PENDING) {
            *slot = i;
            return true;
        }
    }
    return false;
}

bool reload_plan_finished(const struct reload_plan *plan)
{
    size_t slot;
    return count_under_way(plan) == 0 && !reload_plan_next(plan, &slot);
}

const char *reload_step_name(enum reload_step step)
{
    static const char *const names[RELOAD_STEPS] = {
        [RELOAD_STAY] = "stay",           [RELOAD_PENDING] = "pending",
        [RELOAD_STARTING] = "starting",   [RELOAD_HOLDING] = "holding",
        [RELOAD_SWITCHING] = "switching", [RELOAD_DRAINING] = "draining",
        [RELOAD_STOPPING] = "stopping",   [RELOAD_DONE] = "done",
        [RELOAD_FAILED] = "failed",
    };
    return names[step];
}
