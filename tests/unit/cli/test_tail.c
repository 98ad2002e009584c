// The last lines of a file, and what comes after them: appended, truncated, replaced.

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"
#include "tail.h"

enum { BLOCK = 65536 }; // tail.c's

static char folder[] = "/tmp/gwctl-test-XXXXXX";
static char *path, *old_path;
static struct tail *tail;
static struct buf seen; // each line followed by "|"
static size_t lines;

static void on_line(void *context, const char *line, size_t length)
{
    ck_assert_ptr_eq(context, &seen);
    buf_append(&seen, line, length);
    buf_append_text(&seen, "|");
    lines++;
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = mem_printf("%s/log", folder);
    old_path = mem_printf("%s/log.1", folder);
}

static void tear_down(void)
{
    if (tail)
        tail_free(tail);
    buf_free(&seen);
    unlink(path);
    unlink(old_path);
    ck_assert_int_eq(rmdir(folder), 0);
    free(path);
    free(old_path);
}

static void open_tail(void)
{
    tail = tail_new(path, on_line, &seen);
}

static void append_to(const char *file, const char *text, size_t length)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, length), (ssize_t)length);
    close(fd);
}

static void append(const char *text)
{
    append_to(path, text, strlen(text));
}

// What was given since the last call.
static void check_seen(const char *expected)
{
    ck_assert_str_eq(buf_text(&seen), expected);
    buf_free(&seen);
}

static void check_poll(const char *expected)
{
    tail_poll(tail);
    check_seen(expected);
}

static const struct row {
    const char *text;
    size_t count;
    const char *expected;
} rows[] = {
    {"", 5, ""},
    {"a\nb\nc\n", 0, ""},
    {"a\nb\nc\n", 1, "c|"},
    {"a\nb\nc\n", 2, "b|c|"},
    {"a\nb\nc\n", 3, "a|b|c|"},
    {"a\nb\nc\n", 4, "a|b|c|"},
    {"\n\n\n", 2, "||"},
    {"\n", 1, "|"},
    {"a\r\nb\r\n", 1, "b\r|"},
    {"a\nb\nunfinished", 1, "b|"},
    {"unfinished", 3, ""},
};

START_TEST(last_lines)
{
    append(rows[_i].text);
    open_tail();
    tail_last(tail, rows[_i].count);
    check_seen(rows[_i].expected);
    check_poll("");
}
END_TEST

START_TEST(last_lines_of_many_blocks)
{
    static const size_t counts[] = {1,     BLOCK / 8 - 1, BLOCK / 8, BLOCK / 8 + 1,
                                    19999, 20000,         20001};
    struct buf text = BUF_INIT;
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, "%07d\n", i);
    append_to(path, text.data, text.length);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t wanted = counts[i] < 20000 ? counts[i] : 20000;
        lines = 0;
        open_tail();
        tail_last(tail, counts[i]);
        ck_assert_uint_eq(lines, wanted);
        ck_assert_int_eq(atoi(buf_text(&seen)), 20000 - (int)wanted);
        buf_free(&seen);
        tail_free(tail);
    }
    tail = NULL;
    buf_free(&text);
}
END_TEST

START_TEST(a_line_longer_than_a_block)
{
    struct buf text = BUF_INIT;
    memset(buf_reserve(&text, 3 * BLOCK), 'x', 3 * BLOCK);
    buf_commit(&text, 3 * BLOCK);
    append("first\n");
    append_to(path, text.data, text.length);
    append("\nlast\n");
    open_tail();
    tail_last(tail, 2);
    ck_assert_uint_eq(lines, 2);
    ck_assert_uint_eq(seen.length, 3 * BLOCK + strlen("|last|"));
    buf_free(&text);
}
END_TEST

START_TEST(what_is_appended)
{
    append("a\nb\n");
    open_tail();
    tail_last(tail, 1);
    check_seen("b|");
    append("c\nd");
    check_poll("c|");
    append("e");
    check_poll("");
    append("f\n\n");
    check_poll("def||");
    check_poll("");
}
END_TEST

START_TEST(an_unfinished_last_line_is_given_when_it_ends)
{
    append("a\nb");
    open_tail();
    tail_last(tail, 1);
    check_seen("a|");
    append("c\n");
    check_poll("bc|");
}
END_TEST

START_TEST(a_file_that_comes_later_is_given_whole)
{
    open_tail();
    tail_last(tail, 1);
    check_poll("");
    append("a\nb\n");
    check_poll("a|b|");
}
END_TEST

START_TEST(a_truncated_file_begins_anew)
{
    append("a\nb\n");
    open_tail();
    tail_last(tail, 9);
    check_seen("a|b|");
    ck_assert_int_eq(truncate(path, 0), 0);
    check_poll("");
    append("c\nd\n");
    check_poll("c|d|");
    ck_assert_int_eq(truncate(path, 0), 0);
    append("e\n"); // not seen empty
    check_poll("e|");
}
END_TEST

START_TEST(a_replaced_file_is_read_to_its_end)
{
    append("a\n");
    open_tail();
    tail_last(tail, 9);
    check_seen("a|");
    ck_assert_int_eq(rename(path, old_path), 0);
    append_to(old_path, "b\n", 2);
    check_poll("b|"); // nothing is at the path yet
    append_to(old_path, "c\n", 2);
    append("d\n");
    check_poll("c|d|");
    append_to(old_path, "nobody reads this\n", 18);
    append("e\n");
    check_poll("e|");
}
END_TEST

START_TEST(an_unfinished_line_ends_with_its_file)
{
    append("a\nb");
    open_tail();
    tail_last(tail, 9);
    check_seen("a|");
    ck_assert_int_eq(rename(path, old_path), 0);
    append_to(old_path, "c", 1);
    append("d\ne");
    check_poll("bc|d|");
    ck_assert_int_eq(truncate(path, 0), 0);
    append("f\n");
    check_poll("e|f|");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tail");
    TCase *tests = tcase_create("tail");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, last_lines, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, last_lines_of_many_blocks);
    tcase_add_test(tests, a_line_longer_than_a_block);
    tcase_add_test(tests, what_is_appended);
    tcase_add_test(tests, an_unfinished_last_line_is_given_when_it_ends);
    tcase_add_test(tests, a_file_that_comes_later_is_given_whole);
    tcase_add_test(tests, a_truncated_file_begins_anew);
    tcase_add_test(tests, a_replaced_file_is_read_to_its_end);
    tcase_add_test(tests, an_unfinished_line_ends_with_its_file);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
