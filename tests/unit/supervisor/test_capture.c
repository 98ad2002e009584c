// From a pipe to a log file: what is written, when, what is remembered, and what a full disk does.

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "common/buf.h"
#include "log_format.h"
#include "log_lines.h"
#include "loop_test.h"

static char path[] = "/tmp/gwctl-test-XXXXXX";
static int writer; // the process's end
static struct capture *capture;
static struct buf lines; // what on_line told, each followed by '|'
static size_t longest;
static uint64_t lost;

static void on_line(void *context, const char *line, size_t length)
{
    ck_assert_ptr_eq(context, &lines);
    longest = length > longest ? length : longest;
    buf_append(&lines, line, length);
    buf_append(&lines, "|", 1);
}

static void on_lost(void *context, uint64_t more)
{
    ck_assert_ptr_eq(context, &lines);
    lost += more;
}

static struct capture *open_formatted(const char *file, int *write_end,
                                      const struct log_format *format)
{
    struct capture_options options = {.label = "app#0",
                                      .path = file,
                                      .format = format,
                                      .on_line = on_line,
                                      .on_lost = on_lost,
                                      .context = &lines};
    struct err err = {{0}};
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    *write_end = ends[1];
    struct capture *opened = capture_open(&test_loop, ends[0], &options, &err);
    ck_assert_msg(opened != NULL, "%s", err.text);
    return opened;
}

static struct capture *open_capture(const char *file, int *write_end)
{
    return open_formatted(file, write_end, NULL);
}

static void set_up(void)
{
    signal(SIGPIPE, SIG_IGN);
    strcpy(path, "/tmp/gwctl-test-XXXXXX");
    close(mkstemp(path));
    loop_test_open();
    lines = (struct buf)BUF_INIT;
    longest = lost = 0;
    capture = open_capture(path, &writer);
}

static void tear_down(void)
{
    if (writer >= 0)
        close(writer);
    capture_close(capture);
    loop_test_close();
    buf_free(&lines);
    unlink(path);
}

static void put(const char *text)
{
    ck_assert_int_eq(write(writer, text, strlen(text)), (ssize_t)strlen(text));
}

static void end_of_process(void)
{
    close(writer);
    writer = -1;
}

static size_t file_size(void)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return (size_t)status.st_size;
}

// The whole file (free).
static char *file_text(void)
{
    size_t size = file_size();
    char *text = calloc(1, size + 1);
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(read(fd, text, size), (ssize_t)size);
    close(fd);
    return text;
}

static void expect_file(const char *expected)
{
    char *text = file_text();
    ck_assert_str_eq(text, expected);
    free(text);
}

static bool has_size(void *size)
{
    return file_size() >= *(size_t *)size;
}

static void wait_size(size_t size)
{
    loop_test_wait(has_size, &size);
}

static bool has_ended(void *context)
{
    (void)context;
    return capture_fd(capture) < 0;
}

START_TEST(whole_lines_are_written_as_they_come)
{
    put("one\ntwo\nthr");
    wait_size(8);
    expect_file("one\ntwo\n");
    put("ee\n\n");
    wait_size(15);
    expect_file("one\ntwo\nthree\n\n");
    ck_assert_str_eq(buf_text(&lines), "one|two|three||");
}
END_TEST

START_TEST(an_unfinished_last_line_is_ended)
{
    put("one\nand the la");
    end_of_process();
    loop_test_wait(has_ended, NULL);
    expect_file("one\nand the la\n");
    ck_assert_str_eq(buf_text(&lines), "one|and the la|");
    ck_assert_str_eq(capture_last_line(capture, 0), "and the la");
    capture_close(capture);
    expect_file("one\nand the la\n"); // and not once more
}
END_TEST

START_TEST(closing_writes_what_is_left)
{
    put("one\ntw");
    capture_drain_now(capture);
    expect_file("one\n");
    buf_consume(&lines, lines.length);
    capture_close(capture);
    capture_close(capture);
    expect_file("one\ntw\n");
    ck_assert_uint_eq(lines.length, 0); // nobody is told any more
}
END_TEST

START_TEST(what_is_put_down_goes_on_where_it_was)
{
    put("one\nand the la");
    capture_drain_now(capture);
    capture_put_down(capture);
    expect_file("one\nand the la");
    ck_assert_int_ge(fcntl(capture_fd(capture), F_GETPIPE_SZ), 1 << 20);
    int next_end = dup(capture_fd(capture));
    struct capture_options options = {.label = "app#0", .path = path};
    struct err err = {{0}};
    struct capture *next = capture_open(&test_loop, next_end, &options, &err);
    ck_assert_msg(next != NULL, "%s", err.text);
    put("st line\n");
    capture_drain_now(next);
    expect_file("one\nand the last line\n");
    capture_close(next);
}
END_TEST

START_TEST(drain_takes_what_is_there_and_sees_the_end)
{
    put("a\nb\nlast words");
    end_of_process();
    capture_drain_now(capture);
    expect_file("a\nb\nlast words\n");
    ck_assert_str_eq(capture_last_line(capture, 0), "last words");
    ck_assert_int_eq(capture_fd(capture), -1);
    capture_drain_now(capture);
}
END_TEST

START_TEST(drain_does_not_wait_for_a_grandchild)
{
    put("of the child\n");
    int grandchilds = dup(writer);
    end_of_process();
    capture_drain_now(capture);
    expect_file("of the child\n");
    ck_assert_int_ge(capture_fd(capture), 0);
    close(grandchilds);
}
END_TEST

START_TEST(last_lines)
{
    char text[400];
    memset(text, 'x', sizeof text);
    text[399] = '\0';
    ck_assert_str_eq(capture_last_line(capture, 0), "");
    put("1\n2\n3\n\n  \n4\n5\n6\x1b[1m\n");
    put(text);
    put("\n");
    capture_drain_now(capture);
    ck_assert_uint_eq(strlen(capture_last_line(capture, 0)), 200);
    ck_assert_str_eq(capture_last_line(capture, 1), "6?[1m");
    ck_assert_str_eq(capture_last_line(capture, 2), "5");
    ck_assert_str_eq(capture_last_line(capture, 4), "3");
    ck_assert_str_eq(capture_last_line(capture, 5), "");
    put("7\n \t\n");
    capture_drain_now(capture);
    ck_assert_str_eq(capture_last_line(capture, 0), "7");
    ck_assert_str_eq(capture_last_line(capture, 2), "6?[1m");
}
END_TEST

// Writes `length` bytes from a child, so that the pipe may be full meanwhile.
static void put_from_child(const char *bytes, size_t length)
{
    if (fork() == 0) {
        for (size_t done = 0; done < length;) {
            ssize_t count = write(writer, bytes + done, length - done);
            if (count <= 0)
                _exit(1);
            done += (size_t)count;
        }
        _exit(0);
    }
}

START_TEST(long_lines_go_out_in_pieces_and_lose_nothing)
{
    enum { LENGTH = 300000 };
    char *text = malloc(LENGTH + 3);
    for (int i = 0; i < LENGTH; ++i)
        text[i] = (char)('a' + i % 26);
    strcpy(text + LENGTH, "\nx");
    put_from_child(text, LENGTH + 2);
    end_of_process();
    loop_test_wait(has_ended, NULL);
    ck_assert_uint_eq(longest, LOG_LINES_MAX);
    strcpy(text + LENGTH, "\n"); // the "x" line comes behind
    char *written = file_text();
    ck_assert_uint_eq(strlen(written), LENGTH + 3);
    ck_assert_int_eq(memcmp(written, text, LENGTH + 1), 0);
    ck_assert_str_eq(written + LENGTH + 1, "x\n");
    ck_assert_str_eq(capture_last_line(capture, 0), "x");
    free(written);
    free(text);
}
END_TEST

START_TEST(nobody_is_told_more_than_a_piece)
{
    char *text = malloc(60001);
    memset(text, 'z', 59999);
    strcpy(text + 59999, "z");
    put(text); // stays in memory
    capture_drain_now(capture);
    put(text);
    put("\n");
    capture_drain_now(capture);
    ck_assert_uint_eq(longest, LOG_LINES_MAX);
    ck_assert_uint_eq(file_size(), 120001);
    free(text);
}
END_TEST

START_TEST(a_long_line_without_end_gets_its_newline)
{
    char *text = malloc(LOG_LINES_MAX);
    memset(text, 'y', LOG_LINES_MAX);
    put_from_child(text, LOG_LINES_MAX);
    end_of_process();
    loop_test_wait(has_ended, NULL);
    char *written = file_text();
    ck_assert_uint_eq(strlen(written), LOG_LINES_MAX + 1);
    ck_assert_int_eq(written[LOG_LINES_MAX], '\n');
    free(written);
    free(text);
}
END_TEST

// Lines of characters of every width, some of them too long for one piece.
static void append_text(struct buf *text)
{
    static const char *const characters[] = {"x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (int line = 0; line < 20; line++) {
        int count = rand() % (line % 10 == 0 ? 70000 : 200);
        while (count-- > 0)
            buf_append_text(text, characters[rand() % 4]);
        buf_append_text(text, "\n");
    }
}

// The loop's test number decides about the chunks, and so at which bytes characters are cut.
START_TEST(what_is_written_does_not_depend_on_the_chunks)
{
    const struct log_format format = {.date = "[at]", .app = ""};
    struct log_format plain = {.app = ""};
    struct buf text = BUF_INIT, expected = BUF_INIT;

    srand(1);
    append_text(&text);
    log_format_append_lines(&expected, &format, 0, text.data, text.length);
    capture_close(capture);
    close(writer);
    capture = open_formatted(path, &writer, _i % 2 ? &plain : &format);
    srand((unsigned)_i);
    for (size_t done = 0, chunk; done < text.length; done += chunk) {
        chunk = (size_t)(rand() % (rand() % 2 ? 50 : 60000)) + 1;
        chunk = chunk < text.length - done ? chunk : text.length - done;
        ck_assert_int_eq(write(writer, text.data + done, chunk), (ssize_t)chunk);
        capture_drain_now(capture);
    }
    expect_file(buf_text(_i % 2 ? &text : &expected));
    buf_free(&text);
    buf_free(&expected);
}
END_TEST

START_TEST(captures_share_a_file)
{
    int other_writer;
    struct capture *other = open_capture(path, &other_writer);
    put("mine ");
    ck_assert_int_eq(write(other_writer, "theirs\n", 7), 7);
    capture_drain_now(capture);
    capture_drain_now(other);
    put("too\n");
    capture_drain_now(capture);
    expect_file("theirs\nmine too\n");
    close(other_writer);
    capture_close(other);
}
END_TEST

// Both pipes can be read when the loop turns; the flood is more than is read of it in one turn.
START_TEST(a_flood_makes_nobody_wait)
{
    enum { FLOOD = 256 * 1024 };
    char others_path[] = "/tmp/gwctl-test-XXXXXX", *flood = malloc(FLOOD);
    int others_writer;

    close(mkstemp(others_path));
    memset(flood, '\n', FLOOD);
    ck_assert_int_ge(fcntl(writer, F_SETPIPE_SZ, FLOOD), FLOOD);
    ck_assert_int_eq(write(writer, flood, FLOOD), FLOOD);
    struct capture *other = open_formatted(others_path, &others_writer, NULL);
    ck_assert_int_eq(write(others_writer, "me too\n", 7), 7);
    uv_run(&test_loop, UV_RUN_NOWAIT);
    ck_assert_str_eq(capture_last_line(other, 0), "me too");
    ck_assert_uint_gt(file_size(), 0);
    ck_assert_uint_lt(file_size(), FLOOD / 2);
    wait_size(FLOOD);
    close(others_writer);
    capture_close(other);
    unlink(others_path);
    free(flood);
}
END_TEST

START_TEST(a_full_disk_loses_lines_and_nothing_else)
{
    struct rlimit limit, small = {10, RLIM_INFINITY};
    getrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);

    put("12345\n");
    capture_drain_now(capture);
    small.rlim_max = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    put("78901234\n5\n"); // the file takes 4 bytes of it
    capture_drain_now(capture);
    put("and more\n");
    capture_drain_now(capture);
    ck_assert_str_eq(buf_text(&lines), "12345|78901234|5|and more|");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_file("12345\n7890");
    ck_assert_uint_eq(lost, 3); // one of them in part
    put("room again\n");
    capture_drain_now(capture);
    expect_file("12345\n7890\nroom again\n");
    ck_assert_uint_eq(lost, 3);
}
END_TEST

START_TEST(a_disk_that_takes_nothing_never_stops_the_process)
{
    int full_writer;
    struct capture *full = open_capture("/dev/full", &full_writer);
    struct capture *unkept = open_capture(NULL, &(int){-1});
    for (int i = 0; i < 1000; ++i) {
        ck_assert_int_eq(write(full_writer, "lost\n", 5), 5);
        if (i % 100 == 99)
            capture_drain_now(full);
    }
    ck_assert_str_eq(capture_last_line(full, 0), "lost");
    ck_assert_uint_eq(lines.length, 5000);
    ck_assert_uint_eq(lost, 1000);
    close(full_writer);
    capture_close(full);
    capture_close(unkept);
    capture_close(NULL);
}
END_TEST

START_TEST(an_unwritable_file_is_an_error)
{
    struct capture_options options = {.label = "app#0", .path = "/dev/null/x.log"};
    struct err err;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_ptr_null(capture_open(&test_loop, ends[0], &options, &err));
    ck_assert_str_eq(err.text, "log /dev/null/x.log: Not a directory");
    ck_assert_int_eq(write(ends[1], "x", 1), -1); // the read end was taken and closed
    close(ends[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("capture");
    TCase *tests = tcase_create("capture");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, whole_lines_are_written_as_they_come);
    tcase_add_test(tests, an_unfinished_last_line_is_ended);
    tcase_add_test(tests, closing_writes_what_is_left);
    tcase_add_test(tests, what_is_put_down_goes_on_where_it_was);
    tcase_add_test(tests, drain_takes_what_is_there_and_sees_the_end);
    tcase_add_test(tests, drain_does_not_wait_for_a_grandchild);
    tcase_add_test(tests, last_lines);
    tcase_add_test(tests, long_lines_go_out_in_pieces_and_lose_nothing);
    tcase_add_test(tests, nobody_is_told_more_than_a_piece);
    tcase_add_test(tests, a_long_line_without_end_gets_its_newline);
    tcase_add_loop_test(tests, what_is_written_does_not_depend_on_the_chunks, 0, 6);
    tcase_add_test(tests, captures_share_a_file);
    tcase_add_test(tests, a_flood_makes_nobody_wait);
    tcase_add_test(tests, a_full_disk_loses_lines_and_nothing_else);
    tcase_add_test(tests, a_disk_that_takes_nothing_never_stops_the_process);
    tcase_add_test(tests, an_unwritable_file_is_an_error);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
