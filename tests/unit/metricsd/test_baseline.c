#include "columns_test.h"

#include "baseline.h"
#include "totals.h"

static struct merge *merge;
static struct totals totals;

static void set_up(void)
{
    columns_test_open();
    merge = merge_new(test_metrics);
}

static void tear_down(void)
{
    merge_free(merge);
    columns_test_close();
}

static void count(uint64_t amount)
{
    columns_test_count_requests(0, "api", METHOD_GET, 200, 8, amount);
    columns_test_count_requests(0, "api", METHOD_GET, 200, 5000, amount);
    columns_test_count(1, METRIC_UPSTREAM_REQUESTS, "api", "api#0", 200, 0, amount);
    columns_test_count(1, METRIC_CONNECTIONS, NULL, NULL, 0, 0, amount);
}

static void check(uint64_t ever, uint64_t since)
{
    merge_read(merge);
    totals_read(&totals, merge, TOTALS_EVER);
    ck_assert_uint_eq(totals.requests, 2 * ever);
    totals_read(&totals, merge, TOTALS_SINCE_RESET);
    ck_assert_uint_eq(totals.requests, 2 * since);
    ck_assert_uint_eq(totals.duration[7], since);
    ck_assert_uint_eq(totals.other[METRIC_CONNECTIONS], since);
    struct series_range range = merge_family(merge, METRIC_UPSTREAM_REQUESTS);
    ck_assert_uint_eq(series_since_reset(range.items[0]), since);
}

static void reset(uint64_t now_ms)
{
    merge_read(merge);
    baseline_set(test_metrics, merge, now_ms);
}

START_TEST(resets_in_turns)
{
    count(5);
    check(5, 5);
    for (unsigned i = 0; i < 4; i++) {
        reset(1000 + i);
        ck_assert_uint_eq(test_metrics->baseline, i % 2 + 1);
        ck_assert_uint_eq(test_metrics->baseline_ms[i % 2], 1000 + i);
        check(5 + 3 * i, 0);
        count(3);
        check(8 + 3 * i, 3);
    }
}
END_TEST

START_TEST(outlives_who_read_it)
{
    count(5);
    reset(1);
    count(2);
    merge_free(merge);
    merge = merge_new(test_metrics);
    merge_read_baseline(merge);
    check(7, 2);
}
END_TEST

// Killed before the switch: the other column holds half a baseline.
START_TEST(half_a_baseline_is_not_used)
{
    count(5);
    reset(1);
    count(2);
    reset(2);
    test_metrics->baseline = 1;
    merge_read_baseline(merge);
    check(7, 2);
}
END_TEST

START_TEST(never_below_zero)
{
    count(5);
    reset(1);
    test_metrics->opened[0] = test_metrics->opened[1] = 0;
    check(0, 0);
}
END_TEST

START_TEST(baseline_of_nobody)
{
    count(5);
    test_metrics->baseline = 77;
    merge_read_baseline(merge);
    check(5, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("baseline");
    TCase *tests = tcase_create("baseline");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, resets_in_turns);
    tcase_add_test(tests, outlives_who_read_it);
    tcase_add_test(tests, half_a_baseline_is_not_used);
    tcase_add_test(tests, never_below_zero);
    tcase_add_test(tests, baseline_of_nobody);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
