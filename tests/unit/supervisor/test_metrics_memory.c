// The page, the history and the socket of metrics: opened once, taken over, replaced when they are
// of another version.

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/home.h"
#include "common/metrics_page.h"
#include "common/proto.h"
#include "common/sealed_memory.h"
#include "keeper_link.h"
#include "loop_test.h"
#include "metrics_memory.h"

enum { FIRST_FD = 3 };

static char root[] = "/tmp/gwctl-test-XXXXXX";
static struct keeper_link *keeper;
static struct metrics_memory memory;

static void on_exit_reported(void *context, pid_t pid, int status)
{
    (void)context;
    (void)pid;
    (void)status;
}

static void on_lost(void *context)
{
    (void)context;
}

static void open_keeper(void)
{
    static const struct keeper_link_events events = {on_exit_reported, on_lost};
    struct err err = {{0}};
    keeper = keeper_link_open(&test_loop, &events, NULL, &err);
    ck_assert_msg(keeper != NULL, "%s", err.text);
    metrics_memory_init(&memory);
}

static void set_up(void)
{
    struct err err = {{0}};
    ck_assert_ptr_nonnull(mkdtemp(root));
    setenv("GWCTL_HOME", root, 1);
    ck_assert_msg(home_open(&err) == 0, "%s", err.text);
    loop_test_open();
}

static void tear_down(void)
{
    metrics_memory_close_sidecar(&memory, keeper);
    metrics_memory_close_page(&memory);
    keeper_link_close(keeper);
    loop_test_close();
    ck_assert_int_eq(access(home_path(HOME_METRICS), F_OK), -1);
    rmdir(home_path(HOME_RUN));
    rmdir(home_path(HOME_LOGS));
    ck_assert_int_eq(rmdir(root), 0);
}

// The descriptors of an earlier supervisor, as its successor finds them; taken.
static void inherit(int page_fd, int history_fd)
{
    char text[24];
    ck_assert_int_eq(dup2(page_fd, FIRST_FD), FIRST_FD);
    ck_assert_int_eq(dup2(history_fd, FIRST_FD + 1), FIRST_FD + 1);
    close(page_fd);
    close(history_fd);
    snprintf(text, sizeof text, "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", FD_METRICS ":" FD_HISTORY, 1);
}

static void open_all(void)
{
    struct err err = {{0}};
    ck_assert_msg(metrics_memory_open_page(&memory, keeper, &err) == 0, "%s", err.text);
    ck_assert_msg(metrics_memory_open_sidecar(&memory, keeper, &err) == 0, "%s", err.text);
}

static ino_t number(int fd)
{
    struct stat stat;
    ck_assert_int_eq(fstat(fd, &stat), 0);
    return stat.st_ino;
}

START_TEST(is_opened_once)
{
    open_keeper();
    open_all();
    int history_fd = memory.history_fd, socket_fd = memory.socket_fd;
    struct err err = {{0}};
    ck_assert(sealed_memory_has_size(history_fd, PROTO_HISTORY_SIZE));
    ck_assert_int_eq(metrics_memory_open_sidecar(&memory, keeper, &err), 0);
    ck_assert_int_eq(memory.history_fd, history_fd);
    ck_assert_int_eq(memory.socket_fd, socket_fd);
    ck_assert_int_eq(access(home_path(HOME_METRICS), F_OK), 0);
}
END_TEST

START_TEST(without_metricsd_there_is_only_the_page)
{
    struct err err = {{0}};
    open_keeper();
    ck_assert_int_eq(metrics_memory_open_page(&memory, keeper, &err), 0);
    struct metrics_page *page = metrics_page_map(memory.page_fd, &err);
    ck_assert_ptr_nonnull(page);
    metrics_page_unmap(page);
    ck_assert_int_eq(memory.history_fd, -1);
    ck_assert_int_eq(memory.socket_fd, -1);
}
END_TEST

START_TEST(what_the_keeper_had_is_taken_over)
{
    struct err err = {{0}};
    int page_fd = metrics_page_create(7, &err);
    int history_fd = sealed_memory_create("history", PROTO_HISTORY_SIZE, &err);
    ino_t page = number(page_fd), history = number(history_fd);
    inherit(page_fd, history_fd);
    open_keeper();
    open_all();
    ck_assert_uint_eq(number(memory.page_fd), page);
    ck_assert_uint_eq(number(memory.history_fd), history);
}
END_TEST

START_TEST(what_is_of_another_version_is_replaced)
{
    struct err err = {{0}};
    int page_fd = metrics_page_create(7, &err);
    struct metrics_page *old = metrics_page_map(page_fd, &err);
    old->version++;
    metrics_page_unmap(old);
    inherit(page_fd, sealed_memory_create("history", 4096, &err));
    ino_t page = number(FIRST_FD), history = number(FIRST_FD + 1);
    open_keeper();
    open_all();
    ck_assert_uint_ne(number(memory.page_fd), page);
    ck_assert_uint_ne(number(memory.history_fd), history);
    struct metrics_page *new = metrics_page_map(memory.page_fd, &err);
    ck_assert_msg(new != NULL, "%s", err.text);
    metrics_page_unmap(new);
    ck_assert(sealed_memory_has_size(memory.history_fd, PROTO_HISTORY_SIZE));
}
END_TEST

int main(void)
{
    // check and the loop have other numbers than those that a process inherits.
    while (open("/dev/null", O_RDONLY) < FIRST_FD + 1)
        continue;
    Suite *suite = suite_create("metrics_memory");
    TCase *tests = tcase_create("metrics_memory");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, is_opened_once);
    tcase_add_test(tests, without_metricsd_there_is_only_the_page);
    tcase_add_test(tests, what_the_keeper_had_is_taken_over);
    tcase_add_test(tests, what_is_of_another_version_is_replaced);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
