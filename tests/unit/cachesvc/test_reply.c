// What replies look like on the wire.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "reply.h"

static void require_bytes(struct buf *out, const char *expected, size_t length)
{
    ck_assert_uint_eq(out->length, length);
    ck_assert_mem_eq(out->data, expected, length);
    buf_free(out);
}

static void require_text(struct buf *out, const char *expected)
{
    ck_assert_str_eq(buf_text(out), expected);
    buf_free(out);
}

START_TEST(simple)
{
    struct buf out = BUF_INIT;
    reply_simple(&out, "OK");
    reply_simple(&out, "");
    require_text(&out, "+OK\r\n+\r\n");
}
END_TEST

START_TEST(errors)
{
    struct buf out = BUF_INIT;
    reply_error(&out, "WRONGTYPE %s", "no");
    reply_error(&out, "ERR unknown command '%s'", "a\r\n+OK\r\n");
    reply_error(&out, "%s", "");
    require_text(&out, "-WRONGTYPE no\r\n-ERR unknown command 'a  +OK  '\r\n-\r\n");
}
END_TEST

static const struct {
    int64_t value;
    const char *wire;
} integers[] = {
    {0, ":0\r\n"},
    {7, ":7\r\n"},
    {10, ":10\r\n"},
    {-1, ":-1\r\n"},
    {-10, ":-10\r\n"},
    {1234567890, ":1234567890\r\n"},
    {INT64_MAX, ":9223372036854775807\r\n"},
    {INT64_MIN, ":-9223372036854775808\r\n"},
};

START_TEST(integer)
{
    struct buf out = BUF_INIT;
    reply_integer(&out, integers[_i].value);
    require_text(&out, integers[_i].wire);
}
END_TEST

START_TEST(bulks)
{
    static const char expected[] = "$3\r\nabc\r\n$4\r\n\r\n\0x\r\n$0\r\n\r\n$0\r\n\r\n";
    struct buf out = BUF_INIT;
    reply_bulk(&out, "abc", 3);
    reply_bulk(&out, "\r\n\0x", 4);
    reply_bulk(&out, "", 0);
    reply_bulk(&out, NULL, 0);
    require_bytes(&out, expected, sizeof expected - 1);
}
END_TEST

START_TEST(nulls)
{
    struct buf out = BUF_INIT;
    reply_null_bulk(&out);
    reply_null_array(&out);
    require_text(&out, "$-1\r\n*-1\r\n");
}
END_TEST

START_TEST(arrays)
{
    struct buf out = BUF_INIT;
    reply_array(&out, 2);
    reply_integer(&out, 1);
    reply_array(&out, 0);
    reply_array(&out, 1048576);
    require_text(&out, "*2\r\n:1\r\n*0\r\n*1048576\r\n");
}
END_TEST

// Every length of what stands before, so that the buffer has to grow at every place.
START_TEST(growing)
{
    char *filler = calloc(1, 300);
    for (size_t before = 0; before < 300; ++before) {
        struct buf out = BUF_INIT;
        buf_append(&out, filler, before);
        reply_simple(&out, "OK");
        reply_integer(&out, INT64_MIN);
        reply_bulk(&out, filler, 100);
        reply_array(&out, SIZE_MAX);
        reply_error(&out, "ERR %d", 1);
        ck_assert_uint_eq(out.length, before + 5 + 23 + 108 + 23 + 8);
        buf_free(&out);
    }
    free(filler);
}
END_TEST

static const struct merge_row {
    const char *first, *second, *merged;
} merges[] = {
    {"*2\r\n$1\r\na\r\n$-1\r\n", "*2\r\n$-1\r\n$2\r\nbb\r\n", "*2\r\n$1\r\na\r\n$2\r\nbb\r\n"},
    {"*2\r\n$1\r\na\r\n$0\r\n\r\n", "*2\r\n$1\r\nx\r\n$1\r\ny\r\n", "*2\r\n$1\r\na\r\n$0\r\n\r\n"},
    {"*1\r\n$-1\r\n", "*1\r\n$-1\r\n", "*1\r\n$-1\r\n"},
    {"*0\r\n", "*0\r\n", "*0\r\n"},
    {"*1\r\n$4\r\n\r\n$1\r\n", "*1\r\n$-1\r\n", "*1\r\n$4\r\n\r\n$1\r\n"},
    {":1\r\n", ":2\r\n", ":2\r\n"},
    {":2\r\n", ":1\r\n", ":2\r\n"},
    {":-2\r\n", ":100\r\n", ":100\r\n"},
    {"-ERR no\r\n", ":2\r\n", "-ERR no\r\n"},
    {"+string\r\n", "+none\r\n", "+string\r\n"},
    {"*1\r\n$-1\r\n", "*2\r\n$-1\r\n$-1\r\n", "*1\r\n$-1\r\n"},
    {"*1\r\n:1\r\n", "*1\r\n$1\r\na\r\n", "*1\r\n:1\r\n"},
    {"*1\r\n$9\r\na\r\n", "*1\r\n$1\r\na\r\n", "*1\r\n$9\r\na\r\n"},
};

START_TEST(merged)
{
    struct buf out = BUF_INIT;
    const struct merge_row *row = &merges[_i];
    reply_simple(&out, "OK"); // what was there before stays
    reply_merge(&out, (struct reply_text){row->first, strlen(row->first)},
                (struct reply_text){row->second, strlen(row->second)});
    buf_consume(&out, strlen("+OK\r\n"));
    require_text(&out, row->merged);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reply");
    TCase *tests = tcase_create("reply");
    tcase_add_test(tests, simple);
    tcase_add_test(tests, errors);
    tcase_add_loop_test(tests, integer, 0, (int)(sizeof(integers) / sizeof(integers[0])));
    tcase_add_test(tests, bulks);
    tcase_add_test(tests, nulls);
    tcase_add_test(tests, arrays);
    tcase_add_test(tests, growing);
    tcase_add_loop_test(tests, merged, 0, sizeof merges / sizeof *merges);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
