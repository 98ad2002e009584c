// What is kept of ends, how many, and that it survives being written and read.

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "exit_history.h"

static void add(struct exit_history *history, int pid, int status, const char *lines)
{
    struct exit_record record = {
        .pid = pid, .wall_ms = 1000, .uptime_ms = 20, .cause = "crash", .why = "w", .lines = lines};
    exit_record_set_status(&record, status);
    exit_history_add(history, &record);
}

static struct json_object *at(struct json_object *array, size_t index)
{
    return json_object_array_get_idx(array, index);
}

START_TEST(a_status_is_a_code_or_a_signal_or_unknown)
{
    struct exit_record record;
    exit_record_set_status(&record, 0);
    ck_assert(record.code == 0 && record.signal == 0 && !record.core);
    exit_record_set_status(&record, 137 << 8);
    ck_assert(record.code == 137 && record.signal == 0 && !record.core);
    exit_record_set_status(&record, SIGKILL);
    ck_assert(record.code == -1 && record.signal == SIGKILL && !record.core);
    exit_record_set_status(&record, SIGSEGV | 0x80);
    ck_assert(record.code == -1 && record.signal == SIGSEGV && record.core);
    exit_record_set_status(&record, -1);
    ck_assert(record.code == -1 && record.signal == 0 && !record.core);
}
END_TEST

START_TEST(the_last_ten_are_kept)
{
    struct exit_history history = {0};
    for (int i = 0; i < EXIT_HISTORY_MAX + 3; i++)
        add(&history, 100 + i, 0, "x");
    ck_assert_uint_eq(history.count, EXIT_HISTORY_MAX);
    ck_assert_int_eq(history.records[0].pid, 103);
    ck_assert_int_eq(history.records[EXIT_HISTORY_MAX - 1].pid, 100 + EXIT_HISTORY_MAX + 2);
    exit_history_clear(&history);
    ck_assert_uint_eq(history.count, 0);
}
END_TEST

START_TEST(what_is_shown)
{
    struct exit_history history = {0};
    add(&history, 7, 3 << 8, "one\ntwo");
    add(&history, 8, SIGSEGV | 0x80, "");
    struct json_object *array = exit_history_json(&history);
    ck_assert_uint_eq(json_object_array_length(array), 2);
    ck_assert_int_eq(json_get_int(at(array, 0), "code", -9), 3);
    ck_assert_int_eq(json_get_int(at(array, 0), "signal", -9), -9);
    struct json_object *lines = json_get_array(at(array, 0), "lines");
    ck_assert_uint_eq(json_object_array_length(lines), 2);
    ck_assert_str_eq(json_object_get_string(at(lines, 1)), "two");
    ck_assert_int_eq(json_get_int(at(array, 1), "code", -9), -9);
    ck_assert_int_eq(json_get_int(at(array, 1), "signal", -9), SIGSEGV);
    ck_assert(json_get_bool(at(array, 1), "core", false));
    ck_assert_uint_eq(json_object_array_length(json_get_array(at(array, 1), "lines")), 0);
    json_object_put(array);
    exit_history_clear(&history);
}
END_TEST

START_TEST(written_and_read_it_is_the_same)
{
    struct exit_history history = {0}, other = {0};
    char long_line[EXIT_LINES_SIZE];
    memset(long_line, 'x', sizeof long_line - 1);
    long_line[sizeof long_line - 1] = '\0';
    add(&history, 7, 3 << 8, "one\ntwo");
    add(&history, 8, SIGSEGV | 0x80, long_line);
    add(&history, 9, -1, "");
    struct json_object *array = exit_history_json(&history);
    exit_history_read(&other, array);
    struct json_object *again = exit_history_json(&other);
    ck_assert(json_object_equal(array, again));
    json_object_put(array);
    json_object_put(again);
    exit_history_clear(&history);
    exit_history_clear(&other);
}
END_TEST

START_TEST(another_versions_array_does_no_harm)
{
    struct exit_history history = {0};
    struct json_object *array =
        json_tokener_parse("[{\"cause\":\"a cause that is longer than any of ours\"}, {}, 5, null,"
                           " {\"lines\": [null, \"b\"], \"new\": 1}]");
    exit_history_read(&history, array);
    ck_assert_uint_eq(history.count, 5);
    ck_assert_int_eq(history.records[1].code, -1);
    exit_history_read(&history, NULL);
    ck_assert_uint_eq(history.count, 5);
    json_object_put(array);
    exit_history_clear(&history);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exit_history");
    TCase *cases = tcase_create("ends");
    tcase_add_test(cases, a_status_is_a_code_or_a_signal_or_unknown);
    tcase_add_test(cases, the_last_ten_are_kept);
    tcase_add_test(cases, what_is_shown);
    tcase_add_test(cases, written_and_read_it_is_the_same);
    tcase_add_test(cases, another_versions_array_does_no_harm);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
