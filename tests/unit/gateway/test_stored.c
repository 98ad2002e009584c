// Blobs of the cache: written, read again, damaged.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "stored.h"
#include "vary.h"

static const struct connection_names none = {.count = 0};
static const struct field fields[] = {
    {SPAN("Content-Type"), SPAN("text/plain")},
    {SPAN("Age"), SPAN("7")},
    {SPAN("ETag"), SPAN("\"a\"")},
    {SPAN("Date"), SPAN("Sun, 06 Nov 1994 08:49:37 GMT")},
    {SPAN("Set-Cookie"), SPAN("a=b")},
    {SPAN("Connection"), SPAN("x-hop")},
    {SPAN("Content-Length"), SPAN("4")},
    {SPAN("Last-Modified"), SPAN("Sun, 06 Nov 1994 08:49:36 GMT")},
    {SPAN("X-Empty"), SPAN("")},
    {SPAN("etag"), SPAN("\"b\"")},
};

static const struct stored_source source = {
    .stored_at_ms = UINT64_C(1700000000123),
    .ttl_ms = 300000,
    .initial_age_s = 7,
    .status = 203,
    .reason = {"Fine", 4},
    .fields = fields,
    .field_count = sizeof(fields) / sizeof(fields[0]),
    .connection = &none,
};

static void write_answer(struct buf *blob)
{
    ck_assert_int_eq(stored_begin(blob, &source), 0);
    buf_append_text(blob, "bo");
    buf_append_text(blob, "dy");
    stored_finish(blob);
}

static void check_span(struct span found, const char *expected)
{
    ck_assert_msg(found.length == strlen(expected) &&
                      memcmp(found.bytes, expected, found.length) == 0,
                  "\"%.*s\" is not \"%s\"", (int)found.length, found.bytes, expected);
}

static enum stored_kind read_blob(const char *bytes, size_t length, struct stored *stored)
{
    struct vary vary;
    return stored_read((struct span){bytes, length}, stored, &vary);
}

START_TEST(answers)
{
    struct buf blob = BUF_INIT;
    struct stored stored;
    struct field field;
    write_answer(&blob);
    ck_assert_int_eq(read_blob(blob.data, blob.length, &stored), STORED_ANSWER);
    ck_assert(stored.stored_at_ms == source.stored_at_ms && stored.ttl_ms == 300000);
    ck_assert(stored.initial_age_s == 7 && stored.status == 203);
    check_span(stored.reason, "Fine");
    check_span(stored.etag, "\"a\"");
    check_span(stored.last_modified, "Sun, 06 Nov 1994 08:49:36 GMT");
    check_span(stored.body, "body");
    static const char *const names[] = {"Content-Type", "ETag", "Last-Modified", "X-Empty", "etag"};
    struct span rest = stored.fields;
    ck_assert_uint_eq(stored.field_count, 5);
    for (size_t i = 0; i < 5; ++i) {
        ck_assert(stored_next_field(&rest, &field));
        check_span(field.name, names[i]);
    }
    check_span(field.value, "\"b\"");
    ck_assert(!stored_next_field(&rest, &field));
    buf_free(&blob);
}
END_TEST

START_TEST(an_answer_may_have_nothing)
{
    struct buf blob = BUF_INIT;
    struct stored stored;
    struct stored_source empty = {.status = 204, .connection = &none};
    ck_assert_int_eq(stored_begin(&blob, &empty), 0);
    stored_finish(&blob);
    ck_assert_int_eq(read_blob(blob.data, blob.length, &stored), STORED_ANSWER);
    ck_assert(stored.body.length == 0 && stored.etag.length == 0 && stored.field_count == 0);
    buf_free(&blob);
}
END_TEST

START_TEST(what_connection_names_is_left_out)
{
    struct buf blob = BUF_INIT;
    struct stored stored;
    struct stored_source hop = source;
    struct connection_names names = {.count = 1, .names = {SPAN("x-empty")}};
    hop.connection = &names;
    ck_assert_int_eq(stored_begin(&blob, &hop), 0);
    stored_finish(&blob);
    ck_assert_int_eq(read_blob(blob.data, blob.length, &stored), STORED_ANSWER);
    ck_assert_uint_eq(stored.field_count, 4);
    buf_free(&blob);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    static char bytes[65536];
    struct buf blob = BUF_INIT;
    struct field many[101], large = {SPAN("x"), {bytes, sizeof(bytes)}};
    struct stored_source wrong = source;
    for (size_t i = 0; i < 101; ++i)
        many[i] = (struct field){SPAN("x"), SPAN("1")};
    wrong.fields = many;
    wrong.field_count = 101;
    ck_assert_int_eq(stored_begin(&blob, &wrong), -1);
    blob.length = 0;
    wrong.fields = &large;
    wrong.field_count = 1;
    ck_assert_int_eq(stored_begin(&blob, &wrong), -1);
    buf_free(&blob);
}
END_TEST

static void write_vary(struct buf *blob)
{
    struct field line = {SPAN("Vary"), SPAN("b, Accept-Encoding, B")};
    struct vary vary;
    ck_assert(vary_read(&line, 1, &vary));
    stored_write_vary(blob, &vary, 0x89abcdef, 5);
}

START_TEST(marks)
{
    struct buf blob = BUF_INIT;
    struct stored stored;
    struct vary vary;
    write_vary(&blob);
    ck_assert_int_eq(stored_read((struct span){blob.data, blob.length}, &stored, &vary),
                     STORED_VARY);
    ck_assert_uint_eq(vary.count, 2);
    check_span(vary.names[0], "accept-encoding");
    check_span(vary.names[1], "b");
    ck_assert(stored.stored_at_ms == 5 && stored.nonce == 0x89abcdef);
    blob.length = 0;
    stored_write_pass(&blob, 3, 6);
    ck_assert_int_eq(read_blob(blob.data, blob.length, &stored), STORED_PASS);
    ck_assert(stored.reason_code == 3 && stored.stored_at_ms == 6);
    buf_free(&blob);
}
END_TEST

// In memory of exactly its length, so that a byte read too many is seen.
static enum stored_kind read_exactly(const char *bytes, size_t length)
{
    struct stored stored;
    char *copy = malloc(length + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy + 1, bytes, length);
    enum stored_kind kind = read_blob(copy + 1, length, &stored);
    free(copy);
    return kind;
}

START_TEST(no_part_of_a_blob_is_one)
{
    struct buf blobs[3] = {BUF_INIT, BUF_INIT, BUF_INIT};
    write_answer(&blobs[0]);
    write_vary(&blobs[1]);
    stored_write_pass(&blobs[2], 1, 1);
    for (size_t i = 0; i < 3; ++i) {
        for (size_t length = 0; length < blobs[i].length; ++length)
            ck_assert_int_eq(read_exactly(blobs[i].data, length), STORED_BAD);
        ck_assert_int_ne(read_exactly(blobs[i].data, blobs[i].length), STORED_BAD);
        buf_append(&blobs[i], "", 1);
        ck_assert_int_eq(read_exactly(blobs[i].data, blobs[i].length), STORED_BAD);
        buf_free(&blobs[i]);
    }
}
END_TEST

START_TEST(a_changed_byte_harms_nobody)
{
    struct buf blob = BUF_INIT;
    write_answer(&blob);
    for (size_t at = 0; at < blob.length; ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            char before = blob.data[at];
            blob.data[at] = (char)byte;
            (void)read_exactly(blob.data, blob.length);
            blob.data[at] = before;
        }
    }
    buf_free(&blob);
}
END_TEST

static const struct damage_row {
    const char *from, *to; // of the same length
} damages[] = {
    {"text/plain", "text\r\nx:y"},      {"Content-Type", "Content:Type"}, {"X-Empty", "Trailer"},
    {"Last-Modified", "Last Modified"}, {"text/plain", "text/\0lain"},    {"Fine", "Fi\ne"},
};

START_TEST(damaged_fields_are_not_sent)
{
    const struct damage_row *row = &damages[_i];
    struct buf blob = BUF_INIT;
    write_answer(&blob);
    char *at = memmem(blob.data, blob.length, row->from, strlen(row->from));
    ck_assert_ptr_nonnull(at);
    memcpy(at, row->to, strlen(row->from));
    ck_assert_int_eq(read_exactly(blob.data, blob.length), STORED_BAD);
    buf_free(&blob);
}
END_TEST

START_TEST(names_of_vary_are_sorted_and_lower_case)
{
    static const char *const changes[] = {"z", "B", "a", " "};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); ++i) {
        struct buf blob = BUF_INIT;
        write_vary(&blob);
        blob.data[blob.length - 1] = *changes[i]; // was "b"
        ck_assert_int_eq(read_exactly(blob.data, blob.length), i == 0 ? STORED_VARY : STORED_BAD);
        buf_free(&blob);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stored");
    TCase *tests = tcase_create("stored");
    tcase_add_test(tests, answers);
    tcase_add_test(tests, an_answer_may_have_nothing);
    tcase_add_test(tests, what_connection_names_is_left_out);
    tcase_add_test(tests, what_does_not_fit_is_refused);
    tcase_add_test(tests, marks);
    tcase_add_test(tests, no_part_of_a_blob_is_one);
    tcase_add_test(tests, a_changed_byte_harms_nobody);
    tcase_add_loop_test(tests, damaged_fields_are_not_sent, 0,
                        (int)(sizeof(damages) / sizeof(damages[0])));
    tcase_add_test(tests, names_of_vary_are_sorted_and_lower_case);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
