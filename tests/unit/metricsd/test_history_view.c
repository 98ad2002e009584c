#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "views.h"

#define NOW_S UINT64_C(1700000100)

static struct history *history;
static struct facts facts;
static struct buf out;

static void set_up(void)
{
    history = calloc(1, sizeof *history);
    facts = (struct facts){.history = history};
    out = (struct buf)BUF_INIT;
}

static void tear_down(void)
{
    buf_free(&out);
    free(history);
}

static int view(const char *query)
{
    buf_consume(&out, out.length);
    return view_history(&facts, query, (struct moment){0, NOW_S * 1000 + 500}, &out);
}

// The last points are those of the last seconds.
static void check_end(const char *expected)
{
    const char *text = buf_text(&out);
    ck_assert_uint_ge(out.length, strlen(expected));
    ck_assert_str_eq(text + out.length - strlen(expected), expected);
}

static void put(uint64_t second, double value)
{
    history_begin(history, second);
    history_put(history, second, "a", NULL, NULL, value);
    history_put(history, second, "b\"", "app", "x\\", value);
    history_end(history, second);
}

static const struct {
    double value;
    const char *text;
} numbers[] = {
    {0, "0"},         {1, "1"},       {1.5, "1.5"},        {0.25, "0.25"},
    {0.125, "0.125"}, {0.0004, "0"},  {0.001, "0.001"},    {-2.5, "-2.5"},
    {-0.0001, "0"},   {1000, "1000"}, {1e9, "1000000000"}, {10.01, "10.01"},
    {0.999, "0.999"}, {1e30, "null"}, {INFINITY, "null"},
};

START_TEST(number)
{
    char expected[64];
    put(NOW_S - 1, numbers[_i].value);
    ck_assert_int_eq(view("series=a"), 0);
    snprintf(expected, sizeof expected, "null,null,%s]}]}\n", numbers[_i].text);
    check_end(expected);
}
END_TEST

START_TEST(series_that_are_asked_for)
{
    put(NOW_S - 2, 7);
    ck_assert_int_eq(view("range=1h"), 0);
    const char *begin = "{\"step\":1,\"from\":1699996501,\"series\":[{\"name\":\"a\",\"labels\":{},"
                        "\"points\":[null,";
    ck_assert_int_eq(strncmp(buf_text(&out), begin, strlen(begin)), 0);
    ck_assert_ptr_nonnull(strstr(buf_text(&out), ",7,null]},{\"name\":\"b\\\"\",\"labels\":"
                                                 "{\"app\":\"x\\\\\"},\"points\":["));
    ck_assert_int_eq(view("range=1h&series=b%22"), 0);
    ck_assert_str_eq(buf_text(&out), "{\"step\":1,\"from\":1699996501,\"series\":[]}\n");
    ck_assert_int_eq(view("series=,none,a,"), 0);
    check_end("null,7,null]}]}\n");
}
END_TEST

START_TEST(day)
{
    for (uint64_t second = NOW_S - 120; second <= NOW_S; second++)
        put(second, 3);
    ck_assert_int_eq(view("range=24h&series=a"), 0);
    ck_assert_int_eq(strncmp(buf_text(&out), "{\"step\":60,\"from\":1699913760,", 28), 0);
    check_end("null,3,3]}]}\n");
}
END_TEST

START_TEST(bad_ranges)
{
    ck_assert_int_eq(view("range=2h"), -1);
    ck_assert_int_eq(view("range="), -1);
    ck_assert_int_eq(view("x=1&range=24"), -1);
    ck_assert_int_eq(view("arange=2h"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history_view");
    TCase *tests = tcase_create("history_view");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, number, 0, sizeof numbers / sizeof *numbers);
    tcase_add_test(tests, series_that_are_asked_for);
    tcase_add_test(tests, day);
    tcase_add_test(tests, bad_ranges);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
