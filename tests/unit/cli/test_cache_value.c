// Pages about values of clients and about what the gateway stored, whole and cut at every byte.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cache_value.h"
#include "common/stored_form.h"

enum { STORED_AT = 1000000, TTL = 60000 };

static struct buf blob, page;

static void set_up(void)
{
    blob = page = (struct buf)BUF_INIT;
}

static void tear_down(void)
{
    buf_free(&blob);
    buf_free(&page);
}

// --- a value, by the form -----------------------------------------------------------------------

static void put(size_t at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        blob.data[at + i] = (char)(number >> 8 * i);
}

static void begin(char kind, size_t head)
{
    memset(buf_reserve(&blob, head), 0, head);
    buf_commit(&blob, head);
    blob.data[0] = kind;
    blob.data[1] = STORED_VERSION;
    put(STORED_AT_TIME, STORED_AT, 8);
}

static void add_counted(const char *text)
{
    size_t at = blob.length, length = strlen(text);
    buf_append(&blob, "\0", 1);
    buf_append(&blob, "\0", 1);
    put(at, length, 2);
    buf_append_text(&blob, text);
}

// One field, whose lengths stand before name and value.
static void make_answer(const char *name, const char *value, const char *body)
{
    begin(STORED_KIND_ANSWER, STORED_ANSWER_HEAD);
    put(STORED_AT_STATUS, 200, 2);
    put(STORED_AT_AGE, 3, 4);
    put(STORED_AT_TTL, TTL, 8);
    put(STORED_AT_FIELD_COUNT, 1, 2);
    put(STORED_AT_REASON_LENGTH, strlen("OK"), 2);
    put(STORED_AT_FIELDS_LENGTH, STORED_FIELD_LENGTHS + strlen(name) + strlen(value), 4);
    put(STORED_AT_BODY_LENGTH, strlen(body), 4);
    buf_append_text(&blob, "OK");
    size_t at = blob.length;
    buf_append(&blob, "\0\0\0\0", STORED_FIELD_LENGTHS);
    put(at, strlen(name), 2);
    put(at + 2, strlen(value), 2);
    buf_append_text(&blob, name);
    buf_append_text(&blob, value);
    buf_append_text(&blob, body);
}

static const char *render(struct piece bytes, int64_t expires_in_ms, uint64_t now_ms)
{
    struct cache_value value = {{"k\x1b", 2}, bytes, expires_in_ms};
    buf_consume(&page, page.length);
    cache_value_render(&value, now_ms, &page);
    return buf_text(&page);
}

static const char *render_blob(int64_t expires_in_ms, uint64_t now_ms)
{
    return render((struct piece){blob.data, blob.length}, expires_in_ms, now_ms);
}

// --- tests --------------------------------------------------------------------------------------

START_TEST(values_of_clients)
{
    ck_assert_str_eq(render((struct piece){"a\x1b[m\n", 5}, 1500, 0),
                     "key      k\\x1B\nexpires  in 1.5 s\nsize     5 bytes\n\na\\x1B[m\n");
    ck_assert_str_eq(render((struct piece){"", 0}, CACHE_VALUE_FOREVER, 0),
                     "key      k\\x1B\nexpires  never\nsize     0 bytes\n");
    // It went between the two questions.
    ck_assert_str_eq(render((struct piece){"\0", 1}, -2, 0),
                     "key      k\\x1B\nexpires  in 0 ms\nsize     1 byte\n\n"
                     "(no text; --raw writes it to a file or pipe)\n");
}
END_TEST

START_TEST(an_answer)
{
    make_answer("etag", "\"v\x1b\"", "body");
    ck_assert_str_eq(render_blob(90000, STORED_AT + 20000),
                     "key      k\\x1B\nanswer   200 OK\nage      23.0 s\nfresh    for 40.0 s\n"
                     "expires  in 1m 30s\nsize     4 bytes\n\netag: \"v\\x1B\"\n\nbody\n");
    // A clock that was set back makes nothing older.
    ck_assert_ptr_nonnull(strstr(render_blob(90000, 5), "age      3.0 s\nfresh    for 1m 0s\n"));
    ck_assert_ptr_nonnull(
        strstr(render_blob(90000, STORED_AT + TTL + 2000), "age      1m 5s\nstale    for 2.0 s\n"));
}
END_TEST

START_TEST(the_content_of_an_answer_is_its_body)
{
    make_answer("etag", "1", "body");
    struct piece content = cache_value_content((struct piece){blob.data, blob.length});
    ck_assert_uint_eq(content.length, 4);
    ck_assert_mem_eq(content.bytes, "body", 4);
    content = cache_value_content((struct piece){"plain", 5});
    ck_assert_uint_eq(content.length, 5);
}
END_TEST

START_TEST(marks)
{
    begin(STORED_KIND_VARY, STORED_MARK_HEAD);
    add_counted("accept");
    add_counted("x-\x1b");
    ck_assert_str_eq(render_blob(1000, 0),
                     "key      k\\x1B\nanswers  one for each value of: accept x-\\x1B\n"
                     "keys     k\\x1B|v:...\nexpires  in 1.0 s\n");
    buf_consume(&blob, blob.length);
    begin(STORED_KIND_PASS, STORED_MARK_HEAD);
    ck_assert_str_eq(render_blob(1000, 0),
                     "key      k\\x1B\nanswer   none: the last one could not be stored\n"
                     "expires  in 1.0 s\n");
}
END_TEST

static enum stored_view_kind read_exactly(const char *bytes, size_t length)
{
    struct stored_view view;
    char *copy = malloc(length > 0 ? length : 1); // so that a sanitizer sees its end
    if (length > 0)
        memcpy(copy, bytes, length);
    enum stored_view_kind kind = stored_view_read((struct piece){copy, length}, &view);
    struct piece rest = view.fields, name, text;
    while (stored_view_next_field(&rest, &name, &text))
        ck_assert(text.bytes + text.length <= copy + length);
    rest = view.names;
    while (stored_view_next_name(&rest, &name))
        ck_assert(name.bytes + name.length <= copy + length);
    free(copy);
    return kind;
}

START_TEST(what_is_damaged_is_a_value)
{
    make_answer("etag", "1", "body");
    ck_assert_int_eq(read_exactly(blob.data, blob.length), STORED_VIEW_ANSWER);
    for (size_t length = 0; length < blob.length; length++)
        ck_assert_int_eq(read_exactly(blob.data, length), STORED_VIEW_NONE);
    buf_append(&blob, "x", 1);
    ck_assert_int_eq(read_exactly(blob.data, blob.length), STORED_VIEW_NONE);
    blob.length--;
    for (size_t at = 0; at < blob.length; at++) {
        char byte = blob.data[at];
        blob.data[at] = (char)0xff;
        (void)read_exactly(blob.data, blob.length);
        blob.data[at] = byte;
    }
    blob.data[1]++;
    ck_assert_int_eq(read_exactly(blob.data, blob.length), STORED_VIEW_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_value");
    TCase *tests = tcase_create("cache_value");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, values_of_clients);
    tcase_add_test(tests, an_answer);
    tcase_add_test(tests, the_content_of_an_answer_is_its_body);
    tcase_add_test(tests, marks);
    tcase_add_test(tests, what_is_damaged_is_a_value);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
