// NOTIFY_SOCKET: messages with their sender, rubbish, fds that come along.

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/home.h"
#include "common/usock.h"
#include "loop_test.h"
#include "notify_socket.h"

static char root[] = "/tmp/gwctl-test-XXXXXX";
static struct notify_socket *notify;
static struct {
    int count;
    pid_t pid;
    struct notify_message message;
} last;

static void on_message(void *context, pid_t pid, const struct notify_message *message)
{
    ck_assert_ptr_eq(context, &last);
    last.count++;
    last.pid = pid;
    last.message = *message;
}

static void open_notify(int fd)
{
    struct err err = {{0}};
    notify = notify_socket_open(&test_loop, fd, on_message, &last, &err);
    ck_assert_msg(notify != NULL, "%s", err.text);
}

static void set_up(void)
{
    struct err err = {{0}};
    ck_assert_ptr_nonnull(mkdtemp(root));
    setenv("GWCTL_HOME", root, 1);
    ck_assert_msg(home_open(&err) == 0, "%s", err.text);
    loop_test_open();
    memset(&last, 0, sizeof last);
    open_notify(-1);
}

static void tear_down(void)
{
    notify_socket_close(notify);
    loop_test_close();
    unlink(home_path(HOME_NOTIFY));
    rmdir(home_path(HOME_RUN));
    rmdir(home_path(HOME_LOGS));
    ck_assert_int_eq(rmdir(root), 0);
}

static int connect_notify(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, home_path(HOME_NOTIFY), sizeof address.sun_path - 1);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void tell(const char *text, size_t length, const int *fds, size_t count)
{
    struct err err = {{0}};
    int fd = connect_notify();
    ck_assert_msg(usock_send(fd, text, length, fds, count, &err) == 0, "%s", err.text);
    close(fd);
}

static bool has_count(void *count)
{
    return last.count >= *(int *)count;
}

static void wait_count(int count)
{
    loop_test_wait(has_count, &count);
    ck_assert_int_eq(last.count, count);
}

START_TEST(a_message_comes_with_its_sender)
{
    pid_t child = fork();
    if (child == 0) {
        tell("READY=1\nSTATUS=up", 17, NULL, 0);
        _exit(0);
    }
    wait_count(1);
    ck_assert_int_eq(last.pid, child);
    ck_assert(last.message.ready && !last.message.stopping);
    ck_assert_str_eq(last.message.status, "up");
    waitpid(child, NULL, 0);
}
END_TEST

START_TEST(rubbish_is_ignored)
{
    char big[8192];
    memset(big, 'x', sizeof big);
    memcpy(big, "READY=1\nSTATUS=", 15);
    tell("rubbish", 7, NULL, 0);
    tell("READY=1\0", 8, NULL, 0);
    tell("", 0, NULL, 0);
    tell(big, NOTIFY_MESSAGE_MAX + 1, NULL, 0);
    tell(big, sizeof big, NULL, 0);
    tell("STOPPING=1", 10, NULL, 0);
    wait_count(1);
    ck_assert(last.message.stopping && !last.message.ready);
}
END_TEST

START_TEST(fds_that_come_along_are_closed)
{
    int ends[2], fds[USOCK_FDS_MAX];
    char byte;
    ck_assert_int_eq(pipe(ends), 0);
    for (size_t i = 0; i < USOCK_FDS_MAX; ++i)
        fds[i] = ends[1];
    tell("BARRIER=1", 9, fds, USOCK_FDS_MAX);
    tell("rubbish", 7, fds, 1);
    tell("READY=1", 7, NULL, 0);
    close(ends[1]);
    wait_count(2);
    ck_assert_int_eq(read(ends[0], &byte, 1), 0); // nobody has the write end any more
    close(ends[0]);
}
END_TEST

START_TEST(a_successor_takes_the_socket_over)
{
    int kept = fcntl(notify_socket_fd(notify), F_DUPFD_CLOEXEC, 0);
    notify_socket_close(notify);
    notify_socket_close(notify);
    tell("READY=1", 7, NULL, 0); // while nobody listens
    uv_run(&test_loop, UV_RUN_NOWAIT);
    open_notify(kept);
    wait_count(1);
    ck_assert_int_eq(last.pid, getpid());
    notify_socket_close(NULL);
}
END_TEST

START_TEST(no_message_after_close)
{
    tell("READY=1", 7, NULL, 0);
    notify_socket_close(notify);
    uv_run(&test_loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(last.count, 0);
    notify = NULL;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify_socket");
    TCase *tests = tcase_create("notify_socket");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_message_comes_with_its_sender);
    tcase_add_test(tests, rubbish_is_ignored);
    tcase_add_test(tests, fds_that_come_along_are_closed);
    tcase_add_test(tests, a_successor_takes_the_socket_over);
    tcase_add_test(tests, no_message_after_close);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
