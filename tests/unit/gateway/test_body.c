// The body decoder: each input whole and in pieces of every size.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"

enum outcome { WHOLE, CUT, BROKEN };

struct run {
    char data[65536];
    size_t length;
    size_t used; // of the input
    unsigned completions;
    bool bad;
};

static struct run run;

// Feeds one piece, as the header's loop does. Returns false when the decoder wants no more.
static bool feed_piece(struct body_decoder *decoder, const char *bytes, size_t length)
{
    struct span data;
    size_t used;
    enum body_result result;
    while ((result = body_decode(decoder, bytes, length, &used, &data)) == BODY_DATA) {
        ck_assert_uint_gt(data.length, 0);
        ck_assert_uint_le(used, length);
        ck_assert(data.bytes >= bytes && data.bytes + data.length == bytes + used);
        memcpy(run.data + run.length, data.bytes, data.length);
        run.length += data.length;
        run.used += used;
        bytes += used;
        length -= used;
    }
    ck_assert_uint_eq(data.length, 0);
    run.used += result == BODY_BAD ? 0 : used;
    run.completions += result == BODY_COMPLETE;
    run.bad = result == BODY_BAD;
    if (result == BODY_MORE)
        ck_assert_uint_eq(used, length);
    return result == BODY_MORE;
}

static enum outcome feed(enum body_framing framing, uint64_t content_length, struct span input,
                         size_t piece)
{
    struct body_decoder decoder;
    body_decoder_init(&decoder, framing, content_length);
    memset(&run, 0, sizeof(run));
    bool more = true;
    for (size_t at = 0; more && (at < input.length || at == 0); at += piece) {
        size_t left = input.length - at;
        more = feed_piece(&decoder, input.bytes + at, left < piece ? left : piece);
    }
    if (run.bad) {
        ck_assert_ptr_nonnull(body_problem(&decoder));
        ck_assert(!body_is_complete(&decoder));
        return BROKEN;
    }
    ck_assert_int_eq(body_is_complete(&decoder), run.completions == 1);
    ck_assert_uint_le(run.completions, 1);
    return body_on_eof(&decoder) ? WHOLE : CUT;
}

struct row {
    struct span input;
    const char *data; // NULL when BROKEN
    size_t rest;      // bytes behind the body
    enum outcome outcome;
};

#define INPUT(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct row chunked[] = {
    {INPUT("0\r\n\r\n"), "", 0, WHOLE},
    {INPUT("5\r\nhello\r\n0\r\n\r\n"), "hello", 0, WHOLE},
    {INPUT("5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200"), "hello", 12, WHOLE},
    {INPUT("2\r\nhe\r\n3\r\nllo\r\n00\r\n\r\n"), "hello", 0, WHOLE},
    {INPUT("00000000000000Aa\r\n"), "", 0, CUT},
    {INPUT("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n"), "hello", 0, WHOLE},
    {INPUT("5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n"), "hello", 0, WHOLE},
    {INPUT("5;\r\nhello\r\n0\r\n\r\n"), "hello", 0, WHOLE},
    {INPUT("5\r\n\r\n0\r\n\r\n0\r\n\r\n"), "\r\n0\r\n", 0, WHOLE},
    {INPUT("0\r\nX: y\r\nDigest: z\t\r\n\r\nrest"), "", 4, WHOLE},
    {INPUT("ffffffffffffffff\r\nhello"), "hello", 0, CUT},
    // cut
    {INPUT(""), "", 0, CUT},
    {INPUT("5"), "", 0, CUT},
    {INPUT("5\r\nhell"), "hell", 0, CUT},
    {INPUT("5\r\nhello"), "hello", 0, CUT},
    {INPUT("5\r\nhello\r\n"), "hello", 0, CUT},
    {INPUT("5\r\nhello\r\n0\r\n"), "hello", 0, CUT},
    {INPUT("5\r\nhello\r\n0\r\n\r"), "hello", 0, CUT},
    {INPUT("5\r\nhello\r\n0\r\nX: y\r\n"), "hello", 0, CUT},
    // broken
    {INPUT("\r\n"), NULL, 0, BROKEN},
    {INPUT(";a\r\n"), NULL, 0, BROKEN},
    {INPUT("x\r\n"), NULL, 0, BROKEN},
    {INPUT("-5\r\n"), NULL, 0, BROKEN},
    {INPUT("+5\r\n"), NULL, 0, BROKEN},
    {INPUT(" 5\r\n"), NULL, 0, BROKEN},
    {INPUT("5 \r\n"), NULL, 0, BROKEN},
    {INPUT("0x5\r\n"), NULL, 0, BROKEN},
    {INPUT("5g\r\n"), NULL, 0, BROKEN},
    {INPUT("5\nhello\r\n"), NULL, 0, BROKEN},
    {INPUT("5\rhello\r\n"), NULL, 0, BROKEN},
    {INPUT("5\r\nhello\n"), NULL, 0, BROKEN},
    {INPUT("5\r\nhello\r5"), NULL, 0, BROKEN},
    {INPUT("5\r\nhellox\r\n"), NULL, 0, BROKEN},
    {INPUT("5;a\nhello\r\n"), NULL, 0, BROKEN},
    {INPUT("5;a\r\r\nhello\r\n"), NULL, 0, BROKEN},
    {INPUT("5;\0\r\nhello\r\n"), NULL, 0, BROKEN},
    {INPUT("5;\x7f\r\nhello\r\n"), NULL, 0, BROKEN},
    {INPUT("00000000000000005\r\n"), NULL, 0, BROKEN},
    {INPUT("10000000000000000\r\n"), NULL, 0, BROKEN},
    {INPUT("0\r\n\n"), NULL, 0, BROKEN},
    {INPUT("0\r\n\rx"), NULL, 0, BROKEN},
    {INPUT("0\r\nX: y\n\r\n"), NULL, 0, BROKEN},
    {INPUT("0\r\nX: y\rz\r\n"), NULL, 0, BROKEN},
    {INPUT("0\r\nX: \0\r\n\r\n"), NULL, 0, BROKEN},
};

static void assert_outcome(const struct row *row, enum outcome outcome)
{
    ck_assert_msg(outcome == row->outcome, "%s", row->input.bytes);
    if (row->data == NULL)
        return;
    ck_assert_msg(run.length == strlen(row->data) && memcmp(run.data, row->data, run.length) == 0,
                  "%s", row->input.bytes);
}

START_TEST(chunks_in_pieces_of_every_size)
{
    const struct row *row = &chunked[_i];
    for (size_t piece = 1; piece <= row->input.length + 1; ++piece) {
        assert_outcome(row, feed(BODY_CHUNKED, 0, row->input, piece));
        if (row->outcome == WHOLE && piece >= row->input.length)
            ck_assert_uint_eq(run.used, row->input.length - row->rest);
    }
}
END_TEST

START_TEST(lengths)
{
    for (size_t piece = 1; piece <= 8; ++piece) {
        ck_assert_int_eq(feed(BODY_LENGTH, 5, SPAN("hello"), piece), WHOLE);
        ck_assert(run.length == 5 && run.completions == 1);
        ck_assert_int_eq(feed(BODY_LENGTH, 5, SPAN("hell"), piece), CUT);
        ck_assert_int_eq(feed(BODY_LENGTH, 5, SPAN("hello, you"), piece), WHOLE);
        ck_assert(run.length == 5 && run.used == 5 && run.completions == 1);
        ck_assert_int_eq(feed(BODY_LENGTH, 0, SPAN("hello"), piece), WHOLE);
        ck_assert(run.length == 0 && run.used == 0 && run.completions == 1);
        ck_assert_int_eq(feed(BODY_LENGTH, UINT64_MAX - 1, SPAN("hello"), piece), CUT);
    }
}
END_TEST

START_TEST(no_body_and_until_close)
{
    ck_assert_int_eq(feed(BODY_NONE, 5, SPAN("hello"), 5), WHOLE);
    ck_assert(run.length == 0 && run.used == 0 && run.completions == 1);
    ck_assert_int_eq(feed(BODY_UNTIL_CLOSE, 0, SPAN("hello"), 2), WHOLE);
    ck_assert(run.length == 5 && run.completions == 0);
    ck_assert_int_eq(feed(BODY_UNTIL_CLOSE, 0, SPAN(""), 2), WHOLE);
}
END_TEST

START_TEST(complete_is_said_once)
{
    struct body_decoder decoder;
    struct span data;
    size_t used;
    body_decoder_init(&decoder, BODY_LENGTH, 0);
    ck_assert_int_eq(body_decode(&decoder, "", 0, &used, &data), BODY_COMPLETE);
    ck_assert_int_eq(body_decode(&decoder, "", 0, &used, &data), BODY_BAD);
    ck_assert(body_is_complete(&decoder));
}
END_TEST

START_TEST(bad_stays_bad)
{
    struct body_decoder decoder;
    struct span data;
    size_t used;
    body_decoder_init(&decoder, BODY_CHUNKED, 0);
    ck_assert_int_eq(body_decode(&decoder, "x", 1, &used, &data), BODY_BAD);
    ck_assert_int_eq(body_decode(&decoder, "0\r\n\r\n", 5, &used, &data), BODY_BAD);
    ck_assert(!body_on_eof(&decoder));
}
END_TEST

// `before`, then `count` times 'x', then `after`.
static enum outcome feed_long(const char *before, size_t count, const char *after)
{
    static char text[32768];
    size_t at = strlen(before);
    memcpy(text, before, at);
    memset(text + at, 'x', count);
    at += count;
    memcpy(text + at, after, strlen(after));
    return feed(BODY_CHUNKED, 0, (struct span){text, at + strlen(after)}, 4096);
}

START_TEST(extensions_and_trailers_have_limits)
{
    ck_assert_int_eq(feed_long("0;", BODY_MAX_EXTENSION, "\r\n\r\n"), WHOLE);
    ck_assert_int_eq(feed_long("0;", BODY_MAX_EXTENSION + 1, "\r\n\r\n"), BROKEN);
    ck_assert_int_eq(feed_long("0\r\n", BODY_MAX_TRAILERS, "\r\n\r\n"), WHOLE);
    ck_assert_int_eq(feed_long("0\r\n", BODY_MAX_TRAILERS + 1, "\r\n\r\n"), BROKEN);
    ck_assert_int_eq(feed_long("0\r\na: b\r\n", BODY_MAX_TRAILERS - 4, "\r\n\r\n"), WHOLE);
    ck_assert_int_eq(feed_long("0\r\na: b\r\n", BODY_MAX_TRAILERS - 3, "\r\n\r\n"), BROKEN);
    // Each chunk's extension counts alone, and not with the trailers.
    ck_assert_int_eq(feed_long("1;a\r\n.\r\n0;", BODY_MAX_EXTENSION, "\r\n\r\n"), WHOLE);
    ck_assert_int_eq(feed_long("0;a\r\n", BODY_MAX_TRAILERS, "\r\n\r\n"), WHOLE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("body");
    TCase *tests = tcase_create("body");
    tcase_add_loop_test(tests, chunks_in_pieces_of_every_size, 0,
                        (int)(sizeof(chunked) / sizeof(chunked[0])));
    tcase_add_test(tests, lengths);
    tcase_add_test(tests, no_body_and_until_close);
    tcase_add_test(tests, complete_is_said_once);
    tcase_add_test(tests, bad_stays_bad);
    tcase_add_test(tests, extensions_and_trailers_have_limits);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
