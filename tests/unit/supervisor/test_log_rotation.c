// When a log file is replaced, what the old one is called, which old ones go.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log_rotation.h"

static const struct {
    int64_t limit;
    bool daily;
    enum key_presence presence;
    uint64_t size, length;
    int64_t day_end, now;
    bool due;
} due[] = {
    {100, false, KEY_GIVEN, 90, 10, 0, 0, false},   // exactly full
    {100, false, KEY_GIVEN, 90, 11, 0, 0, true},    // would be more
    {100, false, KEY_GIVEN, 0, 500, 0, 0, false},   // empty: a new one would be no better
    {100, false, KEY_FALSE, 90, 500, 0, 0, false},  // never
    {0, false, KEY_GIVEN, 1 << 30, 1, 0, 0, false}, // no matter how large
    {0, true, KEY_GIVEN, 1, 1, 50, 49, false},      // the same day
    {0, true, KEY_GIVEN, 1, 1, 50, 50, true},       // the next
    {0, false, KEY_GIVEN, 1, 1, 50, 50, false},     // days do not count
    {0, true, KEY_GIVEN, 0, 1, 50, 90, false},      // nothing of yesterday in it
    {100, true, KEY_ABSENT, 99, 2, 50, 0, true},    // the defaults
};

START_TEST(is_due)
{
    struct log_rotate_config config = {
        .size_bytes = due[_i].limit, .daily = due[_i].daily, .given.presence = due[_i].presence};
    ck_assert_int_eq(
        log_rotation_is_due(&config, due[_i].size, due[_i].length, due[_i].day_end, due[_i].now),
        due[_i].due);
}
END_TEST

START_TEST(a_day_ends_at_midnight_however_long_it_is)
{
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    ck_assert_int_eq(log_rotation_day_end(1767265200), 1767308400); // 2026-01-01 12:00 CET
    ck_assert_int_eq(log_rotation_day_end(1767308399), 1767308400);
    ck_assert_int_eq(log_rotation_day_end(1767308400), 1767308400 + 86400);
    // 2026-03-29, of 23 hours.
    ck_assert_int_eq(log_rotation_day_end(1774738800), 1774738800 + 23 * 3600);
}
END_TEST

START_TEST(names)
{
    char suffix[LOG_ROTATION_SUFFIX_SIZE], name[128];
    log_rotation_suffix(1767265200007, suffix);
    ck_assert_str_eq(suffix, ".2026-01-01T11-00-00.007Z");
    snprintf(name, sizeof name, "a-out.log%s", suffix);
    ck_assert_int_eq(log_rotation_kind("a-out.log", name), LOG_ROTATION_PLAIN);
    strcat(name, ".gz");
    ck_assert_int_eq(log_rotation_kind("a-out.log", name), LOG_ROTATION_PACKED);
    strcat(name, ".new");
    ck_assert_int_eq(log_rotation_kind("a-out.log", name), LOG_ROTATION_UNFINISHED);
    strcat(name, "x");
    ck_assert_int_eq(log_rotation_kind("a-out.log", name), LOG_ROTATION_FOREIGN);
}
END_TEST

static const char *const foreign[] = {"a-out.log",
                                      "a-out.log.1",
                                      "a-out.log.gz",
                                      "a-out.log.2026-01-01",
                                      "b-out.log.2026-01-01T11-00-00.007Z",
                                      "a-out.log.bak.2026-01-01T11-00-00.007Z",
                                      "a-out.log.2026-01-01T11-00-00.00xZ",
                                      "a-out.log.2026-01-01T11-00-00.007Z.xz",
                                      ""};

START_TEST(files_that_are_not_ours)
{
    ck_assert_int_eq(log_rotation_kind("a-out.log", foreign[_i]), LOG_ROTATION_FOREIGN);
}
END_TEST

START_TEST(the_oldest_go)
{
    static const uint64_t sizes[] = {5, 10, 20, 40};
    static const struct {
        int64_t keep, max_total;
        size_t surplus;
    } cases[] = {{4, 0, 0},  {9, 0, 0},  {3, 0, 1},  {0, 0, 4},  {9, 75, 0},
                 {9, 74, 1}, {9, 60, 2}, {9, 39, 4}, {1, 75, 3}, {2, 40, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct log_rotate_config config = {.keep = cases[i].keep,
                                           .max_total_bytes = cases[i].max_total};
        ck_assert_uint_eq(log_rotation_surplus(&config, sizes, 4), cases[i].surplus);
        ck_assert_uint_eq(log_rotation_surplus(&config, sizes, 0), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_rotation");
    TCase *tests = tcase_create("log_rotation");
    tcase_add_loop_test(tests, is_due, 0, sizeof due / sizeof *due);
    tcase_add_test(tests, a_day_ends_at_midnight_however_long_it_is);
    tcase_add_test(tests, names);
    tcase_add_loop_test(tests, files_that_are_not_ours, 0, sizeof foreign / sizeof *foreign);
    tcase_add_test(tests, the_oldest_go);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
