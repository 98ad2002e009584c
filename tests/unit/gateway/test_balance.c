// Round robin with exclusions.
#include <check.h>
#include <stdlib.h>

#include "balance.h"

START_TEST(takes_turns)
{
    size_t next = 0;
    for (size_t i = 0; i < 9; ++i)
        ck_assert_uint_eq(balance_round_robin(3, &next, NULL), i % 3);
}
END_TEST

START_TEST(passes_over_the_excluded)
{
    struct balance_mask except = {{0}};
    size_t next = 1;
    balance_mask_add(&except, 1);
    ck_assert(balance_mask_has(&except, 1) && !balance_mask_has(&except, 0));
    ck_assert_uint_eq(balance_round_robin(3, &next, &except), 2);
    ck_assert_uint_eq(balance_round_robin(3, &next, &except), 0);
    ck_assert_uint_eq(balance_round_robin(3, &next, &except), 2);
    balance_mask_add(&except, 0);
    balance_mask_add(&except, 2);
    ck_assert_uint_eq(balance_round_robin(3, &next, &except), BALANCE_NONE);
}
END_TEST

START_TEST(empty_and_shrunken_sets)
{
    size_t next = 0;
    ck_assert_uint_eq(balance_round_robin(0, &next, NULL), BALANCE_NONE);
    next = 7;
    ck_assert_uint_eq(balance_round_robin(2, &next, NULL), 0);
    ck_assert_uint_eq(balance_round_robin(1, &next, NULL), 0);
    ck_assert_uint_eq(balance_round_robin(1, &next, NULL), 0);
}
END_TEST

START_TEST(no_endpoint_beyond_the_maximum)
{
    struct balance_mask except = {{0}};
    size_t next = 0;
    for (size_t i = 0; i < BALANCE_MAX_ENDPOINTS - 1; ++i)
        balance_mask_add(&except, i);
    balance_mask_add(&except, BALANCE_MAX_ENDPOINTS);
    ck_assert(!balance_mask_has(&except, BALANCE_MAX_ENDPOINTS));
    ck_assert_uint_eq(balance_round_robin(SIZE_MAX, &next, &except), BALANCE_MAX_ENDPOINTS - 1);
    ck_assert_uint_eq(next, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("balance");
    TCase *tests = tcase_create("balance");
    tcase_add_test(tests, takes_turns);
    tcase_add_test(tests, passes_over_the_excluded);
    tcase_add_test(tests, empty_and_shrunken_sets);
    tcase_add_test(tests, no_endpoint_beyond_the_maximum);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
