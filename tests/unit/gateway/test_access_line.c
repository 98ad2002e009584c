// Lines of both forms: a line is one line, whatever others have written into it.
#include <check.h>
#include <json.h>
#include <string.h>

#include "access_line.h"

#define TIME_MS UINT64_C(1768473000007) // 2026-01-15T10:30:00.007Z

static struct access_line line;
static struct access_record record;
static char out[ACCESS_LINE_MAX];

static void set_up(void)
{
    line = (struct access_line){.form = ACCESS_LOG_TEXT, .worker = SPAN("2")};
    record = (struct access_record){.wall_ms = TIME_MS,
                                    .method = SPAN("GET"),
                                    .path = SPAN("/api/services"),
                                    .status = 200,
                                    .duration_us = 12045,
                                    .bytes = 2345,
                                    .ip = SPAN("127.0.0.1"),
                                    .cache = SPAN("HIT"),
                                    .route = SPAN("services"),
                                    .upstream = SPAN("api"),
                                    .endpoint = SPAN("api#0"),
                                    .user_agent = SPAN("curl/8 (x)")};
}

// The line without its newline.
static const char *write_line(void)
{
    size_t length = access_line_write(&line, &record, out);
    ck_assert_uint_le(length, ACCESS_LINE_MAX);
    ck_assert_int_eq(out[length - 1], '\n');
    out[length - 1] = '\0';
    ck_assert_uint_eq(strlen(out), length - 1);
    ck_assert_ptr_null(strchr(out, '\n'));
    return out;
}

START_TEST(as_text)
{
    ck_assert_str_eq(write_line(),
                     "2026-01-15T10:30:00.007Z Worker ID 2 GET /api/services 200 12.045 ms 2345 B "
                     "127.0.0.1 HIT route=services upstream=api#0");
    record.endpoint = SPAN("");
    record.wall_ms += 993; // the next second
    ck_assert_str_eq(write_line(),
                     "2026-01-15T10:30:01.000Z Worker ID 2 GET /api/services 200 12.045 ms 2345 B "
                     "127.0.0.1 HIT route=services upstream=api");
}
END_TEST

START_TEST(as_json)
{
    line.form = ACCESS_LOG_JSON;
    ck_assert_str_eq(write_line(),
                     "{\"time\":\"2026-01-15T10:30:00.007Z\",\"worker\":2,\"method\":\"GET\","
                     "\"path\":\"/api/services\",\"status\":200,\"duration_ms\":12.045,"
                     "\"bytes\":2345,\"ip\":\"127.0.0.1\",\"cache\":\"HIT\",\"route\":\"services\","
                     "\"upstream\":\"api\",\"endpoint\":\"api#0\",\"user_agent\":\"curl/8 (x)\"}");
}
END_TEST

START_TEST(what_is_not_known)
{
    line.worker = SPAN("");
    record = (struct access_record){.wall_ms = TIME_MS, .status = 408};
    ck_assert_str_eq(write_line(), "2026-01-15T10:30:00.007Z Worker ID - - - 408 0.000 ms 0 B - - "
                                   "route=- upstream=-");
    line.form = ACCESS_LOG_JSON;
    ck_assert_str_eq(write_line(),
                     "{\"time\":\"2026-01-15T10:30:00.007Z\",\"worker\":null,\"method\":null,"
                     "\"path\":null,\"status\":408,\"duration_ms\":0.000,\"bytes\":0,\"ip\":null,"
                     "\"cache\":null,\"route\":null,\"upstream\":null,\"endpoint\":null,"
                     "\"user_agent\":null}");
}
END_TEST

// All bytes, as a path and as a user agent.
START_TEST(what_others_have_written)
{
    char bytes[256];
    for (int i = 0; i < 256; ++i)
        bytes[i] = (char)i;
    record.path = record.user_agent = (struct span){bytes, sizeof bytes};
    const char *text = write_line();
    ck_assert_ptr_nonnull(strstr(text, " GET \\x00\\x01"));
    ck_assert_ptr_nonnull(strstr(text, "\\x1f\\x20!\\x22#"));
    ck_assert_ptr_nonnull(strstr(text, "[\\x5c]"));
    ck_assert_ptr_nonnull(strstr(text, "~\\x7f\\x80"));
    ck_assert_ptr_nonnull(strstr(text, "\\xff 200 "));

    line.form = ACCESS_LOG_JSON;
    struct json_object *parsed = json_tokener_parse(write_line()), *agent;
    ck_assert_ptr_nonnull(parsed);
    ck_assert(json_object_object_get_ex(parsed, "user_agent", &agent));
    ck_assert_ptr_nonnull(strstr(json_object_get_string(agent), "\\x1f !\\x22#"));
    ck_assert_ptr_nonnull(strstr(json_object_get_string(agent), "[\\x5c]"));
    json_object_put(parsed);
}
END_TEST

START_TEST(the_longest_line_fits)
{
    static char bytes[100000];
    struct span long_text = {bytes, sizeof bytes};
    record = (struct access_record){.wall_ms = UINT64_C(253402300799999),
                                    .method = long_text,
                                    .path = long_text,
                                    .status = 999,
                                    .duration_us = UINT64_MAX,
                                    .bytes = UINT64_MAX,
                                    .route = long_text,
                                    .upstream = long_text,
                                    .endpoint = long_text,
                                    .user_agent = long_text};
    ck_assert_ptr_nonnull(strstr(write_line(), "\\x00... 999 "));
    line.form = ACCESS_LOG_JSON;
    ck_assert_ptr_nonnull(strstr(write_line(), "\\\\x00...\",\"status\":999"));
}
END_TEST

static const struct path_row {
    const char *target, *path;
} paths[] = {
    {"/a/b", "/a/b"},
    {"/a/b?token=t", "/a/b"},
    {"/a/b#t", "/a/b"},
    {"/a/b#t?x", "/a/b"},
    {"/a@b://c", "/a@b://c"},
    {"*", "*"},
    {"", ""},
    {"?x", ""},
    {"http://h/a/b?x", "/a/b"},
    {"http://user:password@h:80/a", "/a"},
    {"http://user:password@h", "/"},
    {"http://user:password@h?x", "/"},
    {"user:password@h:443", "h:443"},
    {"h:443", "h:443"},
};

START_TEST(what_is_kept_of_a_target)
{
    const char *target = paths[_i].target;
    struct span path = access_path((struct span){target, strlen(target)});
    ck_assert_uint_eq(path.length, strlen(paths[_i].path));
    ck_assert_mem_eq(path.bytes, paths[_i].path, path.length);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("access_line");
    TCase *tests = tcase_create("access_line");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, as_text);
    tcase_add_test(tests, as_json);
    tcase_add_test(tests, what_is_not_known);
    tcase_add_test(tests, what_others_have_written);
    tcase_add_test(tests, the_longest_line_fits);
    tcase_add_loop_test(tests, what_is_kept_of_a_target, 0, sizeof paths / sizeof *paths);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
