// Events as lines.

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event_view.h"

static const struct row {
    const char *event;
    bool in_colour;
    const char *line;
} rows[] = {
    {"{\"time_ms\":1772892131078,\"source\":\"process\",\"name\":\"exit\",\"app\":\"api\",\"id\":3,"
     "\"text\":\"exited 1 after 3.1 s\"}",
     false, "2026-03-07 14:02:11.078 api 3: process exit: exited 1 after 3.1 s\n"},
    {"{\"time_ms\":1772892131000,\"source\":\"reload\",\"name\":\"failed\",\"app\":\"api\","
     "\"text\":\"x\"}",
     true, "2026-03-07 14:02:11.000 api: reload \033[31mfailed\033[0m: x\n"},
    {"{\"time_ms\":0,\"source\":\"supervisor\",\"name\":\"start\",\"text\":\"\"}", true,
     "1970-01-01 00:00:00.000 supervisor start\n"},
    {"{\"source\":\"process\",\"name\":\"ready\",\"app\":\"a\",\"id\":0}", true,
     "1970-01-01 00:00:00.000 a 0: process \033[32mready\033[0m\n"},
    {"{}", true, "1970-01-01 00:00:00.000 ? ?\n"},
};

START_TEST(lines)
{
    struct buf out = BUF_INIT;
    struct json_object *event = json_tokener_parse(rows[_i].event);
    event_view_append(&out, event, rows[_i].in_colour);
    ck_assert_str_eq(buf_text(&out), rows[_i].line);
    buf_free(&out);
    json_object_put(event);
}
END_TEST

START_TEST(the_time_is_local)
{
    struct buf out = BUF_INIT;
    struct json_object *event = json_tokener_parse(rows[0].event);
    setenv("TZ", "EST5", 1);
    tzset();
    event_view_append(&out, event, false);
    ck_assert_int_eq(strncmp(buf_text(&out), "2026-03-07 09:02:11.078 ", 24), 0);
    buf_free(&out);
    json_object_put(event);
}
END_TEST

int main(void)
{
    setenv("TZ", "UTC0", 1);
    tzset();
    Suite *suite = suite_create("event_view");
    TCase *tests = tcase_create("event_view");
    tcase_add_loop_test(tests, lines, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, the_time_is_local);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
