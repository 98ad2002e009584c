// The row of waits.
#include <check.h>
#include <stdint.h>

#include "common/backoff.h"

START_TEST(grows_to_the_limit)
{
    static const struct backoff_policy policy = {100, 15000, 150};
    static const uint32_t expected[] = {100,  150,  225,  337,  505,   757,   1135,  1702,
                                        2553, 3829, 5743, 8614, 12921, 15000, 15000, 15000};
    struct backoff backoff = {0};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_uint_eq(backoff_next(&backoff, &policy), expected[i]);
    backoff_reset(&backoff);
    ck_assert_uint_eq(backoff_next(&backoff, &policy), 100);
}
END_TEST

START_TEST(odd_policies)
{
    static const struct {
        struct backoff_policy policy;
        uint32_t first, second, third;
    } cases[] = {
        {{0, 15000, 150}, 0, 0, 0},            // no waiting
        {{5000, 1000, 150}, 1000, 1000, 1000}, // first above the limit
        {{100, 1000, 100}, 100, 100, 100},     // always the same
        {{UINT32_MAX, UINT32_MAX, 400}, UINT32_MAX, UINT32_MAX, UINT32_MAX}, // no overflow
        {{1, 1000, 150}, 1, 1, 1},                                           // rounded down
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct backoff backoff = {0};
        ck_assert_uint_eq(backoff_next(&backoff, &cases[i].policy), cases[i].first);
        ck_assert_uint_eq(backoff_next(&backoff, &cases[i].policy), cases[i].second);
        ck_assert_uint_eq(backoff_next(&backoff, &cases[i].policy), cases[i].third);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backoff");
    TCase *tests = tcase_create("backoff");
    tcase_add_test(tests, grows_to_the_limit);
    tcase_add_test(tests, odd_policies);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
