// Lines and pieces of lines, from the front and from the back, however the bytes come.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "log_lines.h"

static const struct {
    const char *bytes;
    size_t whole;
    size_t next, step;  // the first line
    size_t last, start; // the last line
} cases[] = {
    {"\n", 1, 0, 1, 0, 0},       {"a", 0, 1, 1, 1, 0},          {"one\n", 4, 3, 4, 3, 0},
    {"one\ntwo", 4, 3, 4, 3, 4}, {"one\ntwo\n", 8, 3, 4, 3, 4}, {"one\n\n", 5, 3, 4, 0, 4},
    {"\n\nx", 2, 0, 1, 1, 2},
};

START_TEST(ends_of_lines)
{
    size_t length = strlen(cases[_i].bytes), step = 99, start = 99;
    ck_assert_uint_eq(log_lines_whole(cases[_i].bytes, length), cases[_i].whole);
    ck_assert_uint_eq(log_lines_next(cases[_i].bytes, length, &step), cases[_i].next);
    ck_assert_uint_eq(step, cases[_i].step);
    ck_assert_uint_eq(log_lines_last(cases[_i].bytes, length, &start), cases[_i].last);
    ck_assert_uint_eq(start, cases[_i].start);
}
END_TEST

// A line of 'x' and behind it, from the byte at LOG_LINES_MAX + `from` on, `end`. (free)
static char *long_line(int from, const char *end)
{
    size_t length = (size_t)(LOG_LINES_MAX + from);
    char *line = malloc(length + strlen(end) + 1);
    memset(line, 'x', length);
    strcpy(line + length, end);
    return line;
}

static const struct {
    int from; // relative to LOG_LINES_MAX
    const char *end;
    int cut; // the same; 1: it is not cut
} cuts[] = {
    {0, "\n", 1},
    {0, "xyz", 0},
    {0, "x\n", 0},
    {-1, "\xc3\xa4", -1},            // a character of two, cut after its first byte
    {-2, "\xc3\xa4x", 0},            // whole
    {-1, "\xe2\x82\xac", -1},        // of three
    {-2, "\xe2\x82\xac", -2},        //
    {-3, "\xe2\x82\xacx", 0},        //
    {-1, "\xf0\x9f\x98\x80", -1},    // of four
    {-2, "\xf0\x9f\x98\x80", -2},    //
    {-3, "\xf0\x9f\x98\x80", -3},    //
    {-4, "\xf0\x9f\x98\x80x", 0},    //
    {-4, "\x80\x80\x80\x80\x80", 0}, // no UTF-8
    {-1, "\xffx", -1},               // nor this, but it might be by its first byte
};

START_TEST(too_long_lines_are_cut_between_characters)
{
    char *line = long_line(cuts[_i].from, cuts[_i].end);
    size_t length = strlen(line), step;
    size_t next = log_lines_next(line, length, &step);

    if (cuts[_i].cut == 1) {
        ck_assert_uint_eq(next, LOG_LINES_MAX);
        ck_assert_uint_eq(step, LOG_LINES_MAX + 1);
        ck_assert_uint_eq(log_lines_whole(line, LOG_LINES_MAX), 0);
    } else {
        ck_assert_uint_eq(next, (size_t)(LOG_LINES_MAX + cuts[_i].cut));
        ck_assert_uint_eq(step, next);
        ck_assert_uint_eq(log_lines_whole(line, LOG_LINES_MAX + 1), next);
    }
    free(line);
}
END_TEST

// Every line and piece behind `out`, each followed by '|', of bytes that come in chunks of random
// sizes; what cannot go out yet waits for the next chunk.
static void cut_in_chunks(struct buf *out, const char *bytes, size_t length)
{
    struct buf waiting = BUF_INIT;
    while (length > 0) {
        size_t chunk = (size_t)(rand() % (rand() % 2 ? 9 : 65536)) + 1, whole;
        chunk = chunk < length ? chunk : length;
        buf_append(&waiting, bytes, chunk);
        bytes += chunk;
        length -= chunk;
        while ((whole = log_lines_whole(waiting.data, waiting.length)) > 0) {
            for (size_t done = 0, step; done < whole; done += step) {
                buf_append(out, waiting.data + done,
                           log_lines_next(waiting.data + done, whole - done, &step));
                buf_append(out, "|", 1);
            }
            buf_consume(&waiting, whole);
        }
        ck_assert_uint_le(waiting.length, LOG_LINES_MAX);
    }
    buf_append(out, waiting.data, waiting.length);
    buf_free(&waiting);
}

START_TEST(chunks_change_nothing)
{
    static const char *const characters[] = {"x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    struct buf text = BUF_INIT, first = BUF_INIT, again = BUF_INIT;

    srand((unsigned)_i);
    for (int line = 0; line < 12; line++) {
        int count = rand() % (line % 3 == 0 ? 70000 : 100);
        while (count-- > 0)
            buf_append_text(&text, characters[rand() % 4]);
        buf_append_text(&text, "\n");
    }
    cut_in_chunks(&first, text.data, text.length);
    for (int round = 0; round < 5; round++) {
        buf_consume(&again, again.length);
        cut_in_chunks(&again, text.data, text.length);
        ck_assert_uint_eq(again.length, first.length);
        ck_assert_int_eq(memcmp(again.data, first.data, first.length), 0);
    }
    buf_free(&text);
    buf_free(&first);
    buf_free(&again);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_lines");
    TCase *tests = tcase_create("log_lines");
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, ends_of_lines, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tests, too_long_lines_are_cut_between_characters, 0,
                        sizeof cuts / sizeof *cuts);
    tcase_add_loop_test(tests, chunks_change_nothing, 0, 4);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
