#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "windows.h"

static struct windows windows;
static struct totals totals;
static struct window window;

static void set_up(void)
{
    memset(&windows, 0, sizeof windows);
    memset(&totals, 0, sizeof totals);
}

static void count(unsigned status, uint64_t us, uint64_t amount)
{
    totals.requests += amount;
    totals.by_status[status] += amount;
    totals.duration[histogram_bucket(us)] += amount;
}

// A request a step from `from_ms` to `to_ms`.
static void watch(uint64_t from_ms, uint64_t to_ms)
{
    for (uint64_t now_ms = from_ms; now_ms <= to_ms; now_ms += 1000) {
        windows_take(&windows, &totals, now_ms);
        count(now_ms % 10000 == 0 ? 500 : 200, 1000, 1);
    }
}

START_TEST(nobody_watched)
{
    count(200, 1000, 5);
    windows_read(&windows, &totals, 100000, 60000, &window);
    ck_assert_uint_eq(window.length_ms, 0);
    ck_assert_uint_eq(window.requests, 0);
    windows_take(&windows, &totals, 100000);
    windows_read(&windows, &totals, 100000, 60000, &window);
    ck_assert_uint_eq(window.requests, 0);
}
END_TEST

START_TEST(shorter_in_the_beginning)
{
    watch(1000, 20000);
    windows_read(&windows, &totals, 21000, 60000, &window);
    ck_assert_uint_eq(window.length_ms, 20000);
    ck_assert_uint_eq(window.requests, 20);
    ck_assert_uint_eq(window.errors, 2);
    ck_assert_uint_eq(histogram_count(window.duration), 20);
}
END_TEST

START_TEST(as_long_as_asked_for)
{
    static const uint64_t lengths[] = {60000, 300000, 900000};
    watch(1000, 2000000);
    for (size_t i = 0; i < 3; i++) {
        windows_read(&windows, &totals, 2001000, lengths[i], &window);
        ck_assert_uint_ge(window.length_ms, lengths[i]);
        ck_assert_uint_le(window.length_ms, lengths[i] + WINDOWS_STEP_MS);
        ck_assert_uint_eq(window.requests, window.length_ms / 1000);
    }
}
END_TEST

START_TEST(what_was_counted_in_a_gap_is_not_in_it)
{
    watch(1000, 100000);
    count(200, 1000, 1000000); // while nobody watched
    watch(200000, 220000);
    windows_read(&windows, &totals, 221000, 60000, &window);
    ck_assert_uint_eq(window.length_ms, 21000);
    ck_assert_uint_eq(window.requests, 21);
}
END_TEST

START_TEST(a_short_absence_is_no_gap)
{
    watch(1000, 100000);
    count(200, 1000, 3);
    watch(104000, 160000);
    windows_read(&windows, &totals, 161000, 60000, &window);
    ck_assert_uint_ge(window.length_ms, 60000);
    ck_assert_uint_le(window.length_ms, 65000);
}
END_TEST

// It was killed while it wrote a snapshot, or just before it said so.
START_TEST(killed_while_writing)
{
    watch(1000, 2000000);
    struct window_snapshot *next = &windows.snapshot[windows.taken % WINDOWS_SNAPSHOTS];
    next->mono_ms = 0;
    windows_read(&windows, &totals, 2001000, 900000, &window);
    ck_assert_uint_eq(window.requests, window.length_ms / 1000);
    next->mono_ms = 2000500;
    windows_read(&windows, &totals, 2001000, 2000000, &window);
    ck_assert_uint_eq(window.requests, window.length_ms / 1000);
    windows_take(&windows, &totals, 2006000);
    ck_assert_uint_eq(next->mono_ms, 2006000);
}
END_TEST

START_TEST(sums_that_go_back_are_nothing)
{
    watch(1000, 100000);
    memset(&totals, 0, sizeof totals);
    windows_read(&windows, &totals, 101000, 60000, &window);
    ck_assert_uint_eq(window.requests, 0);
    ck_assert_uint_eq(histogram_count(window.duration), 0);
}
END_TEST

START_TEST(whatever_is_in_the_memory)
{
    srand((unsigned)_i);
    for (size_t i = 0; i < sizeof windows; i++)
        ((unsigned char *)&windows)[i] = (unsigned char)rand();
    windows_read(&windows, &totals, 101000, 60000, &window);
    windows_take(&windows, &totals, 101000);
    windows_read(&windows, &totals, 101000, 60000, &window);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("windows");
    TCase *tests = tcase_create("windows");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, nobody_watched);
    tcase_add_test(tests, shorter_in_the_beginning);
    tcase_add_test(tests, as_long_as_asked_for);
    tcase_add_test(tests, what_was_counted_in_a_gap_is_not_in_it);
    tcase_add_test(tests, a_short_absence_is_no_gap);
    tcase_add_test(tests, killed_while_writing);
    tcase_add_test(tests, sums_that_go_back_are_nothing);
    tcase_add_loop_test(tests, whatever_is_in_the_memory, 0, 5);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
