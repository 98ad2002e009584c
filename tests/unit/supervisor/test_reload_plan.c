// The reload plan: every cell of its table, the order of slots, and what a failure means.

#include <check.h>
#include <stdlib.h>

#include "reload_plan.h"

struct cell {
    enum reload_step step;
    enum reload_event event;
    enum reload_step next;
};

static const struct cell cells[] = {
    {RELOAD_PENDING, RELOAD_EV_BEGIN, RELOAD_STARTING},
    {RELOAD_STARTING, RELOAD_EV_READY, RELOAD_HOLDING},
    {RELOAD_STARTING, RELOAD_EV_LOST, RELOAD_FAILED},
    {RELOAD_HOLDING, RELOAD_EV_HELD, RELOAD_SWITCHING},
    {RELOAD_HOLDING, RELOAD_EV_LOST, RELOAD_FAILED},
    {RELOAD_SWITCHING, RELOAD_EV_SWITCHED, RELOAD_DRAINING},
    {RELOAD_SWITCHING, RELOAD_EV_GONE, RELOAD_DONE},
    {RELOAD_DRAINING, RELOAD_EV_DRAINED, RELOAD_STOPPING},
    {RELOAD_DRAINING, RELOAD_EV_GONE, RELOAD_DONE},
    {RELOAD_STOPPING, RELOAD_EV_GONE, RELOAD_DONE},
};

static enum reload_step expected(enum reload_step step, enum reload_event event)
{
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        if (cells[i].step == step && cells[i].event == event)
            return cells[i].next;
    }
    return step;
}

START_TEST(every_cell)
{
    for (int step = RELOAD_PENDING; step < RELOAD_STEPS; step++) {
        for (int event = 0; event < RELOAD_EVENTS; event++) {
            struct reload_plan plan;
            reload_plan_init(&plan, 1, 1);
            plan.steps[0] = (enum reload_step)step;
            ck_assert_msg(reload_plan_event(&plan, 0, (enum reload_event)event) ==
                              expected((enum reload_step)step, (enum reload_event)event),
                          "step %s, event %d", reload_step_name((enum reload_step)step), event);
            reload_plan_fini(&plan);
        }
    }
}
END_TEST

static void run_to_done(struct reload_plan *plan, size_t slot)
{
    reload_plan_event(plan, slot, RELOAD_EV_BEGIN);
    reload_plan_event(plan, slot, RELOAD_EV_READY);
    reload_plan_event(plan, slot, RELOAD_EV_HELD);
    reload_plan_event(plan, slot, RELOAD_EV_SWITCHED);
    reload_plan_event(plan, slot, RELOAD_EV_DRAINED);
    ck_assert_int_eq(reload_plan_event(plan, slot, RELOAD_EV_GONE), RELOAD_DONE);
}

START_TEST(one_slot_after_the_other)
{
    struct reload_plan plan;
    size_t slot;
    reload_plan_init(&plan, 3, 1);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(!reload_plan_finished(&plan));
        ck_assert(reload_plan_next(&plan, &slot));
        ck_assert_uint_eq(slot, i);
        reload_plan_event(&plan, slot, RELOAD_EV_BEGIN);
        ck_assert(!reload_plan_next(&plan, &slot));
        plan.steps[i] = RELOAD_PENDING;
        run_to_done(&plan, i);
    }
    ck_assert(reload_plan_finished(&plan));
    ck_assert(!plan.failed);
    reload_plan_fini(&plan);
}
END_TEST

START_TEST(as_many_at_a_time_as_parallel_says)
{
    struct reload_plan plan;
    size_t slot;
    reload_plan_init(&plan, 3, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(reload_plan_next(&plan, &slot));
        reload_plan_event(&plan, slot, RELOAD_EV_BEGIN);
    }
    ck_assert(!reload_plan_next(&plan, &slot));
    reload_plan_fini(&plan);
}
END_TEST

START_TEST(after_a_failure_nothing_begins_and_the_rest_runs_out)
{
    struct reload_plan plan;
    size_t slot;
    reload_plan_init(&plan, 3, 2);
    reload_plan_event(&plan, 0, RELOAD_EV_BEGIN);
    reload_plan_event(&plan, 1, RELOAD_EV_BEGIN);
    reload_plan_event(&plan, 0, RELOAD_EV_READY);
    reload_plan_event(&plan, 0, RELOAD_EV_HELD);
    reload_plan_event(&plan, 1, RELOAD_EV_LOST);
    ck_assert(plan.failed);
    ck_assert(!reload_plan_next(&plan, &slot));
    ck_assert(!reload_plan_finished(&plan));
    reload_plan_event(&plan, 0, RELOAD_EV_GONE);
    ck_assert(reload_plan_finished(&plan));
    ck_assert_int_eq(plan.steps[0], RELOAD_DONE);
    ck_assert_int_eq(plan.steps[2], RELOAD_PENDING);
    reload_plan_fini(&plan);
}
END_TEST

START_TEST(a_crash_after_the_hand_over_is_no_failure_of_the_reload)
{
    struct reload_plan plan;
    reload_plan_init(&plan, 1, 1);
    reload_plan_event(&plan, 0, RELOAD_EV_BEGIN);
    reload_plan_event(&plan, 0, RELOAD_EV_READY);
    reload_plan_event(&plan, 0, RELOAD_EV_HELD);
    ck_assert_int_eq(reload_plan_event(&plan, 0, RELOAD_EV_LOST), RELOAD_SWITCHING);
    ck_assert(!plan.failed);
    reload_plan_fini(&plan);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reload_plan");
    TCase *cases = tcase_create("plan");
    tcase_add_test(cases, every_cell);
    tcase_add_test(cases, one_slot_after_the_other);
    tcase_add_test(cases, as_many_at_a_time_as_parallel_says);
    tcase_add_test(cases, after_a_failure_nothing_begins_and_the_rest_runs_out);
    tcase_add_test(cases, a_crash_after_the_hand_over_is_no_failure_of_the_reload);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
