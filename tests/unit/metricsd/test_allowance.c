#include <check.h>
#include <stdlib.h>

#include "allowance.h"

START_TEST(burst_then_rate)
{
    struct allowance allowance;
    allowance_init(&allowance, 20, 40, 1000);
    for (int i = 0; i < 40; ++i)
        ck_assert(allowance_take(&allowance, 1000));
    ck_assert(!allowance_take(&allowance, 1000));
    ck_assert_uint_eq(allowance_retry_after_s(&allowance), 1);
    ck_assert(!allowance_take(&allowance, 1049));
    ck_assert(allowance_take(&allowance, 1050));
    ck_assert(!allowance_take(&allowance, 1050));
    for (int i = 0; i < 20; ++i)
        ck_assert(allowance_take(&allowance, 2050));
    ck_assert(!allowance_take(&allowance, 2050));
}
END_TEST

START_TEST(never_more_than_the_burst)
{
    struct allowance allowance;
    allowance_init(&allowance, 20, 3, 0);
    for (int i = 0; i < 3; ++i)
        ck_assert(allowance_take(&allowance, UINT64_MAX / 2));
    ck_assert(!allowance_take(&allowance, UINT64_MAX / 2));
    ck_assert(!allowance_take(&allowance, 0)); // a clock that goes back gives nothing
}
END_TEST

START_TEST(slow_rates_say_how_long)
{
    struct allowance allowance;
    allowance_init(&allowance, 1, 1, 0);
    ck_assert(allowance_take(&allowance, 0));
    ck_assert_uint_eq(allowance_retry_after_s(&allowance), 1);
    ck_assert(!allowance_take(&allowance, 999));
    ck_assert_uint_eq(allowance_retry_after_s(&allowance), 1);
    ck_assert(allowance_take(&allowance, 1000));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("allowance");
    TCase *tests = tcase_create("allowance");
    tcase_add_test(tests, burst_then_rate);
    tcase_add_test(tests, never_more_than_the_burst);
    tcase_add_test(tests, slow_rates_say_how_long);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
