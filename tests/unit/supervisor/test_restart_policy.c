// What exits lead to, as sequences of them.

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "restart_policy.h"

static const struct restart_policy app = {
    .autorestart = true,
    .min_uptime_ms = 10000,
    .max_restarts = 10,
    .backoff = {100, 15000, 150},
};

static enum restart_verdict leave(const struct restart_policy *policy,
                                  struct restart_history *history, uint64_t uptime_ms,
                                  uint32_t *delay_ms)
{
    struct restart_exit exit = {.uptime_ms = uptime_ms, .was_ready = true};
    return restart_decide(policy, history, &exit, delay_ms);
}

START_TEST(early_exits_back_off_and_end_in_errored)
{
    static const uint32_t waits[] = {100, 150, 225, 337, 505, 757, 1135, 1702, 2553};
    struct restart_history history = {0};
    uint32_t delay;
    for (size_t i = 0; i < 9; i++) {
        ck_assert_int_eq(leave(&app, &history, 50, &delay), RESTART_LATER);
        ck_assert_uint_eq(delay, waits[i]);
    }
    ck_assert_int_eq(leave(&app, &history, 50, &delay), RESTART_GIVE_UP);
}
END_TEST

START_TEST(an_exit_after_min_uptime_restarts_at_once_and_forgets)
{
    struct restart_history history = {0};
    uint32_t delay;
    for (int i = 0; i < 9; i++)
        leave(&app, &history, 50, &delay);
    ck_assert_int_eq(leave(&app, &history, 10000, &delay), RESTART_NOW);
    ck_assert_int_eq(leave(&app, &history, 50, &delay), RESTART_LATER);
    ck_assert_uint_eq(delay, 100);
}
END_TEST

START_TEST(one_that_never_was_ready_is_unstable_at_any_age)
{
    struct restart_history history = {0};
    struct restart_exit exit = {.uptime_ms = 30000, .was_ready = false};
    uint32_t delay;
    ck_assert_int_eq(restart_decide(&app, &history, &exit, &delay), RESTART_LATER);
    ck_assert_int_eq(history.unstable, 1);
}
END_TEST

START_TEST(a_fixed_delay_replaces_the_backoff)
{
    struct restart_policy policy = app;
    struct restart_history history = {0};
    uint32_t delay;
    policy.delay_ms = 700;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(leave(&policy, &history, 50, &delay), RESTART_LATER);
        ck_assert_uint_eq(delay, 700);
    }
    ck_assert_int_eq(leave(&policy, &history, 20000, &delay), RESTART_LATER);
    ck_assert_uint_eq(delay, 700);
}
END_TEST

START_TEST(our_own_programs_restart_at_once_first_and_are_never_given_up)
{
    struct restart_policy policy = app;
    struct restart_history history = {0};
    uint32_t delay;
    policy.max_restarts = -1;
    policy.first_at_once = true;
    policy.backoff.limit_ms = 1000;
    ck_assert_int_eq(leave(&policy, &history, 50, &delay), RESTART_NOW);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(leave(&policy, &history, 50, &delay), RESTART_LATER);
        ck_assert_uint_le(delay, 1000);
    }
}
END_TEST

// One that lives for so long between two exits, until it is told to wait for a minute, or `most`
// times. Returns the number of exits.
static int leave_often(struct restart_history *history, uint64_t *now_ms, uint64_t uptime_ms,
                       int most)
{
    struct restart_policy policy = app;
    int count = 0;
    policy.ends_storms = true;
    for (uint32_t delay = 0; count < most && delay < RESTART_STORM_WAIT_MS; count++) {
        *now_ms += uptime_ms;
        struct restart_exit exit = {.now_ms = *now_ms, .uptime_ms = uptime_ms, .was_ready = true};
        ck_assert_int_ne(restart_decide(&policy, history, &exit, &delay), RESTART_GIVE_UP);
        *now_ms += delay;
    }
    return count;
}

START_TEST(the_61st_restart_in_an_hour_waits_a_minute)
{
    struct restart_history history = {0};
    uint64_t now = 5;
    ck_assert_int_eq(leave_often(&history, &now, 11000, 1000), 61);
    ck_assert(history.storm);
    ck_assert_int_eq(leave_often(&history, &now, 11000, 1000), 1);
}
END_TEST

START_TEST(once_a_minute_is_no_storm)
{
    struct restart_history history = {0};
    uint64_t now = 5;
    ck_assert_int_eq(leave_often(&history, &now, 60000, 1000), 1000);
    ck_assert(!history.storm);
}
END_TEST

// One attempt a minute and 11 s of life are 50 in an hour: no reason to hurry again.
START_TEST(a_storm_lasts_until_few_have_been_in_an_hour)
{
    struct restart_history history = {0};
    uint64_t now = 5;
    leave_often(&history, &now, 11000, 1000);
    for (int i = 0; i < 500; i++)
        ck_assert_int_eq(leave_often(&history, &now, 11000, 1000), 1);
    ck_assert(history.storm);
    now += 3600000;
    ck_assert_int_eq(leave_often(&history, &now, 11000, 10), 10);
    ck_assert(!history.storm);
}
END_TEST

START_TEST(a_storm_ends_by_hand_and_spares_our_own)
{
    struct restart_history history = {0};
    uint64_t now = 5;
    uint32_t delay;
    leave_often(&history, &now, 11000, 1000);
    restart_history_reset(&history);
    ck_assert_int_eq(leave_often(&history, &now, 11000, 1000), 61);
    restart_history_reset(&history);
    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(leave(&app, &history, 11000, &delay), RESTART_NOW);
}
END_TEST

START_TEST(some_exits_are_wanted)
{
    struct restart_policy policy = app;
    struct restart_history history = {0};
    struct restart_exit exit = {.status = 3 << 8, .uptime_ms = 50, .was_ready = true};
    uint32_t delay;
    policy.stop_exits.codes[0] = 1 << 3;
    policy.stop_exits.signals = 1 << SIGTERM;
    ck_assert_int_eq(restart_decide(&policy, &history, &exit, &delay), RESTART_NO);
    exit.status = SIGTERM;
    ck_assert_int_eq(restart_decide(&policy, &history, &exit, &delay), RESTART_NO);
    exit.forced = true; // the signal was ours
    ck_assert_int_eq(restart_decide(&policy, &history, &exit, &delay), RESTART_LATER);
    exit = (struct restart_exit){.status = 3 << 8, .stop_wanted = true, .again_wanted = true};
    ck_assert_int_eq(restart_decide(&policy, &history, &exit, &delay), RESTART_NOW);
}
END_TEST

START_TEST(what_we_asked_for_is_no_crash)
{
    struct restart_history history = {0};
    struct restart_exit stop = {.uptime_ms = 5, .stop_wanted = true};
    struct restart_exit again = {.uptime_ms = 5, .stop_wanted = true, .again_wanted = true};
    struct restart_policy once = app;
    uint32_t delay;
    ck_assert_int_eq(restart_decide(&app, &history, &stop, &delay), RESTART_NO);
    ck_assert_int_eq(restart_decide(&app, &history, &again, &delay), RESTART_NOW);
    once.autorestart = false;
    ck_assert_int_eq(leave(&once, &history, 5, &delay), RESTART_NO);
    ck_assert_int_eq(history.unstable, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("restart_policy");
    TCase *cases = tcase_create("exits");
    tcase_add_test(cases, early_exits_back_off_and_end_in_errored);
    tcase_add_test(cases, an_exit_after_min_uptime_restarts_at_once_and_forgets);
    tcase_add_test(cases, one_that_never_was_ready_is_unstable_at_any_age);
    tcase_add_test(cases, a_fixed_delay_replaces_the_backoff);
    tcase_add_test(cases, our_own_programs_restart_at_once_first_and_are_never_given_up);
    tcase_add_test(cases, the_61st_restart_in_an_hour_waits_a_minute);
    tcase_add_test(cases, once_a_minute_is_no_storm);
    tcase_add_test(cases, a_storm_lasts_until_few_have_been_in_an_hour);
    tcase_add_test(cases, a_storm_ends_by_hand_and_spares_our_own);
    tcase_add_test(cases, some_exits_are_wanted);
    tcase_add_test(cases, what_we_asked_for_is_no_crash);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
