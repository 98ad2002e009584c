// Lines behind a date and as records of JSON, of bytes of any kind.

#include <check.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log_format.h"
#include "log_lines.h"

#define AT UINT64_C(1767265205007) // 2026-01-01 12:00:05.007 in Europe's winter

static void set_up(void)
{
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
}

static const char *const dates[][2] = {
    {"YYYY-MM-DD HH:mm:ss.SSS Z", "2026-01-01 12:00:05.007 +01:00"},
    {"YYYY-MM-DDTHH:mm:ss", "2026-01-01T12:00:05"},
    {"D.M.YY h:m:s a A ZZ", "1.1.26 12:0:5 pm PM +0100"},
    {"X x", "1767265205 1767265205007"},
    {"[YYYY at] HH [", "YYYY at 12 ["},
    {"[]%s %d", "%5 %d"},
    {"", ""},
};

START_TEST(dates_by_tokens)
{
    struct buf out = BUF_INIT;
    log_format_append_date(&out, dates[_i][0], AT);
    ck_assert_str_eq(buf_text(&out), dates[_i][1]);
    buf_free(&out);
}
END_TEST

START_TEST(west_of_greenwich_at_night)
{
    struct buf out = BUF_INIT;
    setenv("TZ", "NST3:30", 1);
    tzset();
    log_format_append_date(&out, "hh a Z", AT - 6 * 3600 * 1000 - 3600 * 1000 - 1800 * 1000);
    ck_assert_str_eq(buf_text(&out), "12 am -03:30");
    buf_free(&out);
}
END_TEST

static void expect(const struct log_format *format, const char *bytes, size_t length,
                   const char *expected)
{
    struct buf out = BUF_INIT;
    log_format_append_lines(&out, format, AT, bytes, length);
    ck_assert_str_eq(buf_text(&out), expected);
    buf_free(&out);
}

START_TEST(each_line_behind_a_date)
{
    const struct log_format format = {.date = "HH:mm"};
    const struct log_format plain = {0};
    ck_assert(!log_format_is_plain(&format));
    ck_assert(log_format_is_plain(&plain));
    expect(&format, "one\n\ntwo\n", 9, "12:00: one\n12:00: \n12:00: two\n");
    expect(&format, "a piece", 7, "12:00: a piece\n");
    expect(&format, "", 0, "");
}
END_TEST

START_TEST(a_record_a_line)
{
    const struct log_format format = {.json = true, .app = "api", .id = 3, .error = true};
    const struct log_format dated = {.json = true, .date = "HH:mm", .app = "api"};
    expect(&format, "say \"hi\"\t\\\n", 11,
           "{\"timestamp\":\"2026-01-01T11:00:05.007Z\",\"type\":\"err\",\"app_name\":\"api\","
           "\"process_id\":3,\"message\":\"say \\\"hi\\\"\\t\\\\\"}\n");
    expect(&dated, "x\ny\n", 4,
           "{\"timestamp\":\"12:00\",\"type\":\"out\",\"app_name\":\"api\",\"process_id\":0,"
           "\"message\":\"x\"}\n"
           "{\"timestamp\":\"12:00\",\"type\":\"out\",\"app_name\":\"api\",\"process_id\":0,"
           "\"message\":\"y\"}\n");
}
END_TEST

static const struct {
    const char *bytes;
    size_t length;
    const char *message; // as JSON reads it
} texts[] = {
    {"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
    {"\xe2\x82\xac\xf0\x9f\x98\x80", 7, "\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"cut \xe2\x82", 6, "cut \xef\xbf\xbd\xef\xbf\xbd"},
    {"\xff\x80z", 3, "\xef\xbf\xbd\xef\xbf\xbdz"},
    {"\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, // half of a pair
    {"\x1b[1m\r\x7f", 6, "\x1b[1m\r\x7f"},
};

START_TEST(any_bytes_make_valid_json)
{
    const struct log_format format = {.json = true, .app = "a"};
    struct buf out = BUF_INIT;
    log_format_append_lines(&out, &format, AT, texts[_i].bytes, texts[_i].length);
    struct json_object *record = json_tokener_parse(buf_text(&out));
    ck_assert_ptr_nonnull(record);
    struct json_object *message = json_object_object_get(record, "message");
    ck_assert_str_eq(json_object_get_string(message), texts[_i].message);
    json_object_put(record);
    buf_free(&out);
}
END_TEST

START_TEST(a_line_that_is_too_long_becomes_several)
{
    const struct log_format format = {.date = "[at]"};
    char *line = malloc(LOG_LINES_MAX + 4);
    struct buf out = BUF_INIT;

    memset(line, 'x', LOG_LINES_MAX - 1);
    memcpy(line + LOG_LINES_MAX - 1, "\xe2\x82\xac\n", 4);
    log_format_append_lines(&out, &format, AT, line, LOG_LINES_MAX + 3);
    ck_assert_uint_eq(out.length, LOG_LINES_MAX + 2 + 2 * strlen("at: \n"));
    ck_assert_str_eq(buf_text(&out) + out.length - 10, "x\nat: \xe2\x82\xac\n");
    buf_free(&out);
    free(line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_format");
    TCase *tests = tcase_create("log_format");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_loop_test(tests, dates_by_tokens, 0, sizeof dates / sizeof *dates);
    tcase_add_test(tests, west_of_greenwich_at_night);
    tcase_add_test(tests, each_line_behind_a_date);
    tcase_add_test(tests, a_record_a_line);
    tcase_add_loop_test(tests, any_bytes_make_valid_json, 0, sizeof texts / sizeof *texts);
    tcase_add_test(tests, a_line_that_is_too_long_becomes_several);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
