// Where the lines go: to whoever reads, in order and whole; a reader that does not costs lines,
// which are counted, and never a wait.
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access_log.h"
#include "common/buf.h"
#include "loop_test.h"
#include "metrics.h"

static const struct gateway_config nothing;
static struct metrics metrics;
static struct access_log *written_to;
static int ends[2]; // ours, and the log's
static struct buf read_back;

static void set_up(void)
{
    loop_test_open();
    metrics_init(&metrics, &nothing, NULL, 0);
    read_back = (struct buf)BUF_INIT;
}

static void tear_down(void)
{
    access_log_close(written_to);
    loop_test_close();
    close(ends[0]);
    close(ends[1]);
    metrics_fini(&metrics);
    buf_free(&read_back);
}

static void open_pipe(void)
{
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    written_to = access_log_open(&test_loop, ends[1], ACCESS_LOG_TEXT, "7", &metrics);
}

static void open_socket(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    written_to = access_log_open(&test_loop, ends[1], ACCESS_LOG_TEXT, "7", &metrics);
}

static void (*const opens[])(void) = {open_pipe, open_socket};

static void add(unsigned number)
{
    struct access_record record = {.wall_ms = 1768473000000, .status = 200, .bytes = number};
    access_log_add(written_to, &record);
}

static bool has_lines(void *count)
{
    char piece[65536];
    ssize_t length;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while ((length = read(ends[0], piece, sizeof piece)) > 0)
        buf_append(&read_back, piece, (size_t)length);
    size_t lines = 0;
    for (size_t i = 0; i < read_back.length; ++i)
        lines += read_back.data[i] == '\n';
    return lines >= *(size_t *)count;
}

static uint64_t count_drops(void)
{
    return metrics_column_sum(metrics.own, METRIC_ACCESS_LOG_DROPPED);
}

static bool has_dropped(void *count)
{
    return count_drops() >= *(uint64_t *)count;
}

// Each is whole, and they are those from `first` on.
static void check_lines(unsigned first)
{
    char *text;
    size_t length;
    while (buf_take_line(&read_back, &text, &length)) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, " ms %u B ", first++);
        ck_assert_msg(strstr(text, wanted) != NULL, "%s is not %s", text, wanted);
        ck_assert_ptr_nonnull(strstr(text, "Z Worker ID 7 "));
        ck_assert_str_eq(text + length - 10, "upstream=-");
    }
    ck_assert_uint_eq(read_back.length, 0);
}

START_TEST(lines_arrive_when_the_turn_ends)
{
    size_t count = 3;
    opens[_i]();
    for (unsigned number = 200; number < 203; ++number)
        add(number);
    loop_test_wait(has_lines, &count);
    check_lines(200);
    ck_assert_uint_eq(count_drops(), 0);
}
END_TEST

START_TEST(many_lines_arrive_in_order)
{
    size_t count = 3000; // more than fits at once
    opens[_i]();
    for (unsigned i = 0; i < count; ++i) {
        add(i);
        if (i % 100 == 99) {
            size_t so_far = i + 1;
            loop_test_wait(has_lines, &so_far);
        }
    }
    check_lines(0);
    ck_assert_uint_eq(count_drops(), 0);
}
END_TEST

// What is kept comes when there is room again.
START_TEST(who_does_not_read_loses_lines)
{
    const unsigned added = 20000;
    opens[_i]();
    for (unsigned i = 0; i < added; ++i)
        add(i);
    size_t kept = added - count_drops();
    ck_assert_uint_gt(count_drops(), 0);
    ck_assert_uint_gt(kept, 1000);
    loop_test_wait(has_lines, &kept);
    check_lines(0);
    ck_assert_uint_eq(count_drops() + kept, added);
}
END_TEST

START_TEST(a_reader_that_is_gone)
{
    opens[_i]();
    close(ends[0]);
    ends[0] = -1;
    add(200);
    add(201);
    loop_test_wait(has_dropped, &(uint64_t){2});
}
END_TEST

START_TEST(the_end_writes_what_it_can)
{
    size_t count = 1;
    open_pipe();
    add(200);
    access_log_close(written_to);
    written_to = NULL;
    ck_assert(has_lines(&count));
    check_lines(200);
}
END_TEST

START_TEST(a_file_is_appended_to)
{
    char path[] = "/tmp/gateway-test-XXXXXX";
    char text[512] = "";
    ends[0] = mkstemp(path);
    ends[1] = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(write(ends[1], "before\n", 7), 7);
    written_to = access_log_open(&test_loop, ends[1], ACCESS_LOG_TEXT, NULL, &metrics);
    add(200);
    access_log_close(written_to);
    written_to = NULL;
    ck_assert_int_gt(pread(ends[0], text, sizeof text - 1, 0), 0);
    unlink(path);
    ck_assert_int_eq(strncmp(text, "before\n20", 9), 0);
    ck_assert_ptr_nonnull(strstr(text, "Z Worker ID - "));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("access_log");
    TCase *tests = tcase_create("access_log");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, lines_arrive_when_the_turn_ends, 0, 2);
    tcase_add_loop_test(tests, many_lines_arrive_in_order, 0, 2);
    tcase_add_loop_test(tests, who_does_not_read_loses_lines, 0, 2);
    tcase_add_loop_test(tests, a_reader_that_is_gone, 0, 2);
    tcase_add_test(tests, the_end_writes_what_it_can);
    tcase_add_test(tests, a_file_is_appended_to);
    suite_add_tcase(suite, tests);
    signal(SIGPIPE, SIG_IGN);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
