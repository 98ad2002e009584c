#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

#define T0 UINT64_C(1700000040) // the begin of a minute

static struct history *history;

static void set_up(void)
{
    history = calloc(1, sizeof *history);
}

static void tear_down(void)
{
    free(history);
}

static void put_second(uint64_t second, const char *name, double value)
{
    history_begin(history, second);
    history_put(history, second, name, NULL, NULL, value);
    history_end(history, second);
}

static size_t find(const char *name, const char *value)
{
    for (size_t i = 0; i < HISTORY_SERIES; i++) {
        const struct history_key *key = history_key(history, i);
        if (key != NULL && strcmp(key->name, name) == 0 && strcmp(key->value, value) == 0)
            return i;
    }
    return HISTORY_SERIES;
}

START_TEST(nothing_is_gaps)
{
    ck_assert_ptr_null(history_key(history, 0));
    ck_assert(isnan(history_at_second(history, 0, T0)));
    ck_assert(isnan(history_at_second(history, 0, 0)));
    ck_assert(isnan(history_at_minute(history, 0, 0)));
}
END_TEST

START_TEST(seconds_with_a_gap)
{
    put_second(T0, "a", 1);
    put_second(T0 + 2, "a", 3);
    size_t a = find("a", "");
    ck_assert_float_eq(history_at_second(history, a, T0), 1);
    ck_assert(isnan(history_at_second(history, a, T0 + 1)));
    ck_assert_float_eq(history_at_second(history, a, T0 + 2), 3);
    put_second(T0 + 2 + HISTORY_SECONDS, "a", 4); // takes the row of the one before
    ck_assert(isnan(history_at_second(history, a, T0 + 2)));
    ck_assert_float_eq(history_at_second(history, a, T0), 1);
}
END_TEST

START_TEST(minutes_are_means)
{
    for (uint64_t second = T0; second < T0 + 60; second++)
        put_second(second, "a", second % 2 == 0 ? 10 : 20);
    size_t a = find("a", "");
    ck_assert(isnan(history_at_minute(history, a, T0 / 60)));
    put_second(T0 + 60, "a", 7);
    ck_assert_float_eq(history_at_minute(history, a, T0 / 60), 15);
    ck_assert(isnan(history_at_minute(history, a, T0 / 60 - 1)));
}
END_TEST

// Half a minute, then nobody for five: what there was is a minute, the rest are gaps.
START_TEST(minutes_after_an_absence)
{
    for (uint64_t second = T0; second < T0 + 30; second++)
        put_second(second, "a", 10);
    put_second(T0 + 330, "a", 20);
    size_t a = find("a", "");
    ck_assert_float_eq(history_at_minute(history, a, T0 / 60), 10);
    for (unsigned i = 1; i < 5; i++)
        ck_assert(isnan(history_at_minute(history, a, T0 / 60 + i)));
    put_second(T0 + 360, "a", 20);
    ck_assert_float_eq(history_at_minute(history, a, T0 / 60 + 5), 20);
}
END_TEST

START_TEST(clock_that_goes_back)
{
    put_second(T0 + 7200, "a", 1);
    for (uint64_t second = T0; second <= T0 + 60; second++)
        put_second(second, "a", 5);
    size_t a = find("a", "");
    ck_assert_float_eq(history_at_minute(history, a, T0 / 60), 5);
}
END_TEST

START_TEST(killed_in_a_row)
{
    put_second(T0, "a", 1);
    history_begin(history, T0 + 1);
    history_put(history, T0 + 1, "a", NULL, NULL, 2);
    size_t a = find("a", ""); // no end
    ck_assert(isnan(history_at_second(history, a, T0 + 1)));
    put_second(T0 + 2, "a", 3);
    ck_assert_float_eq(history_at_second(history, a, T0), 1);
    ck_assert_float_eq(history_at_second(history, a, T0 + 2), 3);
    history_begin(history, T0 + HISTORY_SECONDS); // over the first one
    history_put(history, T0 + HISTORY_SECONDS, "a", NULL, NULL, 4);
    ck_assert(isnan(history_at_second(history, a, T0)));
    ck_assert(isnan(history_at_second(history, a, T0 + HISTORY_SECONDS)));
}
END_TEST

START_TEST(labels_are_part_of_a_series)
{
    history_begin(history, T0);
    history_put(history, T0, "memory", "app", "api", 1);
    history_put(history, T0, "memory", "app", "web", 2);
    history_put(history, T0, "memory", "app", "none", NAN);
    history_end(history, T0);
    ck_assert_float_eq(history_at_second(history, find("memory", "api"), T0), 1);
    ck_assert_float_eq(history_at_second(history, find("memory", "web"), T0), 2);
    ck_assert_uint_eq(find("memory", "none"), HISTORY_SERIES);
    ck_assert_str_eq(history_key(history, find("memory", "web"))->label, "app");
}
END_TEST

static void put_many(uint64_t second, unsigned from, unsigned count)
{
    char name[16];
    history_begin(history, second);
    for (unsigned i = from; i < from + count; i++) {
        snprintf(name, sizeof name, "s%u", i);
        history_put(history, second, name, NULL, NULL, i);
    }
    history_end(history, second);
}

START_TEST(places_are_bounded_and_come_back_after_a_day)
{
    put_many(T0, 0, HISTORY_SERIES + 3);
    ck_assert_uint_eq(find("s64", ""), HISTORY_SERIES);
    put_many(T0 + 1000, 1, HISTORY_SERIES);
    ck_assert_uint_eq(find("s64", ""), HISTORY_SERIES);
    put_many(T0 + 24 * 3600 + 1, 64, 1);
    size_t place = find("s64", "");
    ck_assert_uint_lt(place, HISTORY_SERIES);
    ck_assert_uint_eq(find("s0", ""), HISTORY_SERIES);
    ck_assert(isnan(history_at_second(history, place, T0))); // nothing of who was there
    ck_assert_uint_lt(find("s1", ""), HISTORY_SERIES);
}
END_TEST

START_TEST(long_texts_are_cut)
{
    char text[200];
    memset(text, 'x', sizeof text - 1);
    text[199] = '\0';
    history_begin(history, T0);
    history_put(history, T0, text, text, text, 1);
    history_end(history, T0);
    ck_assert_uint_eq(strlen(history_key(history, 0)->value), HISTORY_VALUE_SIZE - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *tests = tcase_create("history");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nothing_is_gaps);
    tcase_add_test(tests, seconds_with_a_gap);
    tcase_add_test(tests, minutes_are_means);
    tcase_add_test(tests, minutes_after_an_absence);
    tcase_add_test(tests, clock_that_goes_back);
    tcase_add_test(tests, killed_in_a_row);
    tcase_add_test(tests, labels_are_part_of_a_series);
    tcase_add_test(tests, places_are_bounded_and_come_back_after_a_day);
    tcase_add_test(tests, long_texts_are_cut);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
