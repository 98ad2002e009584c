// The time table of a drain.
#include <check.h>
#include <stdlib.h>

#include "drain.h"

START_TEST(ends_with_the_last_connection)
{
    struct drain drain = {DRAIN_NONE};
    ck_assert(!drain_step(&drain, 1000, 0));
    ck_assert_int_eq(drain.state, DRAIN_NONE);
    drain_order(&drain, 1000, 30000);
    ck_assert_int_eq(drain.state, DRAIN_WAITING);
    ck_assert(!drain_step(&drain, 1000, 2));
    ck_assert(drain_step(&drain, 1001, 0));
    ck_assert_int_eq(drain.state, DRAIN_OVER);
    ck_assert(!drain_step(&drain, 1002, 0));
}
END_TEST

START_TEST(breaks_off_before_it_is_killed)
{
    struct drain drain = {DRAIN_NONE};
    drain_order(&drain, 1000, 5000);
    ck_assert(!drain_step(&drain, 1000 + 5000 - DRAIN_RESERVE_MS - 1, 1));
    ck_assert(drain_step(&drain, 1000 + 5000 - DRAIN_RESERVE_MS, 1));
    ck_assert_int_eq(drain.state, DRAIN_BREAKING);
    ck_assert(!drain_step(&drain, 1000 + 5000 - DRAIN_RESERVE_MS + DRAIN_BREAK_MS - 1, 1));
    ck_assert(drain_step(&drain, 1000 + 5000 - DRAIN_RESERVE_MS + DRAIN_BREAK_MS, 1));
    ck_assert_int_eq(drain.state, DRAIN_OVER);
    ck_assert_int_lt(DRAIN_BREAK_MS, DRAIN_RESERVE_MS);
}
END_TEST

START_TEST(no_time_at_all)
{
    struct drain drain = {DRAIN_NONE};
    drain_order(&drain, 1000, 100);
    ck_assert(drain_step(&drain, 1000, 1));
    ck_assert_int_eq(drain.state, DRAIN_BREAKING);
}
END_TEST

START_TEST(a_second_order_breaks_off)
{
    struct drain drain = {DRAIN_NONE};
    drain_order(&drain, 1000, 30000);
    drain_order(&drain, 1100, 30000);
    ck_assert_int_eq(drain.state, DRAIN_BREAKING);
    drain_order(&drain, 1200, 30000);
    ck_assert(drain_step(&drain, 1100 + DRAIN_BREAK_MS, 1));
    ck_assert_int_eq(drain.state, DRAIN_OVER);
}
END_TEST

START_TEST(idle_connections)
{
    struct drain drain = {DRAIN_NONE};
    ck_assert(!drain_ends_idle(&drain, 100000, 0));
    drain_order(&drain, 100000, 30000);
    ck_assert(!drain_ends_idle(&drain, 100000, 0));
    ck_assert(!drain_ends_idle(&drain, 100000 + DRAIN_IDLE_MS - 1, 0));
    ck_assert(drain_ends_idle(&drain, 100000 + DRAIN_IDLE_MS, 0));
    ck_assert(!drain_ends_idle(&drain, 100000 + DRAIN_IDLE_MS, 100001));
    ck_assert(drain_ends_idle(&drain, 100001 + DRAIN_IDLE_MS, 100001));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drain");
    TCase *tests = tcase_create("drain");
    tcase_add_test(tests, ends_with_the_last_connection);
    tcase_add_test(tests, breaks_off_before_it_is_killed);
    tcase_add_test(tests, no_time_at_all);
    tcase_add_test(tests, a_second_order_breaks_off);
    tcase_add_test(tests, idle_connections);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
