// Buckets tile the time line, bounds are where people look for them, quantiles are near the truth.
#include <check.h>
#include <string.h>

#include "common/histogram.h"

static uint64_t counts[HISTOGRAM_BUCKETS];

static void set_up(void)
{
    memset(counts, 0, sizeof counts);
}

START_TEST(buckets_tile)
{
    ck_assert_uint_eq(histogram_lower_us(0), 0);
    for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++) {
        ck_assert_uint_eq(histogram_bucket(histogram_upper_us(i)), i);
        ck_assert_uint_eq(histogram_bucket(histogram_upper_us(i) + 1), i + 1);
        ck_assert_uint_eq(histogram_upper_us(i), histogram_lower_us(i + 1));
    }
    ck_assert_uint_eq(histogram_upper_us(HISTOGRAM_BUCKETS - 1), UINT64_MAX);
}
END_TEST

START_TEST(ends)
{
    ck_assert_uint_eq(histogram_bucket(0), 0);
    ck_assert_uint_eq(histogram_bucket(100 * 1000000), HISTOGRAM_BUCKETS - 2);
    ck_assert_uint_eq(histogram_bucket(100 * 1000000 + 1), HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(usual_bounds_are_bounds)
{
    static const uint64_t usual[] = {1000,   2500,   5000,    10000,   25000,   50000,   100000,
                                     250000, 500000, 1000000, 2500000, 5000000, 10000000};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        ck_assert_uint_eq(histogram_upper_us(histogram_bucket(usual[i])), usual[i]);
    ck_assert_uint_eq(sizeof usual / sizeof *usual, HISTOGRAM_BOUNDS - 1);
    for (unsigned i = 0; i + 1 < HISTOGRAM_BOUNDS; i++) {
        ck_assert_uint_eq(histogram_bound_us(i), usual[i]);
        ck_assert_uint_eq(histogram_bound(usual[i]), i);
        ck_assert_uint_eq(histogram_bound(usual[i] + 1), i + 1);
    }
    ck_assert_uint_eq(histogram_bound(0), 0);
    ck_assert_uint_eq(histogram_bound(UINT64_MAX), HISTOGRAM_BOUNDS - 1);
    ck_assert_uint_eq(histogram_bound_us(HISTOGRAM_BOUNDS - 1), UINT64_MAX);
}
END_TEST

START_TEST(buckets_are_narrow)
{
    for (unsigned i = 100; i + 1 < HISTOGRAM_BUCKETS; i++)
        ck_assert_uint_le((histogram_upper_us(i) - histogram_lower_us(i)) * 10,
                          histogram_lower_us(i));
}
END_TEST

START_TEST(quantiles)
{
    for (uint64_t us = 1; us <= 100000; us++) // evenly, 1 µs to 100 ms
        counts[histogram_bucket(us)]++;
    ck_assert_uint_eq(histogram_count(counts), 100000);
    ck_assert_double_eq_tol(histogram_quantile_us(counts, 0.5), 50000, 50);
    ck_assert_double_eq_tol(histogram_quantile_us(counts, 0.99), 99000, 50);
    ck_assert_double_eq_tol(histogram_quantile_us(counts, 1), 100000, 1e-6);
}
END_TEST

START_TEST(quantiles_of_little)
{
    ck_assert_double_eq(histogram_quantile_us(counts, 0.95), 0);
    counts[HISTOGRAM_BUCKETS - 1] = 1;
    ck_assert_double_eq(histogram_quantile_us(counts, 0.95), 100e6);
    counts[histogram_bucket(7)] = 99;
    ck_assert_double_le(histogram_quantile_us(counts, 0.95), 7);
    ck_assert_double_gt(histogram_quantile_us(counts, 0.95), 6);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("histogram");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, buckets_tile);
    tcase_add_test(tcase, ends);
    tcase_add_test(tcase, usual_bounds_are_bounds);
    tcase_add_test(tcase, buckets_are_narrow);
    tcase_add_test(tcase, quantiles);
    tcase_add_test(tcase, quantiles_of_little);
    Suite *suite = suite_create("histogram");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
