// One complaint a second.
#include <check.h>
#include <stdlib.h>

#include "throttle.h"

START_TEST(counts_what_it_hides)
{
    struct throttle throttle = {0};
    unsigned hidden = 99;
    ck_assert(throttle_allows(&throttle, 5000, &hidden));
    ck_assert_uint_eq(hidden, 0);
    ck_assert(!throttle_allows(&throttle, 5000, &hidden));
    ck_assert(!throttle_allows(&throttle, 5000 + THROTTLE_MS - 1, &hidden));
    ck_assert(throttle_allows(&throttle, 5000 + THROTTLE_MS, &hidden));
    ck_assert_uint_eq(hidden, 2);
    ck_assert(!throttle_allows(&throttle, 5001 + THROTTLE_MS, &hidden));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("throttle");
    TCase *tests = tcase_create("throttle");
    tcase_add_test(tests, counts_what_it_hides);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
