// Sockets with names, who is at the other end, descriptors that travel.
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/usock.h"

static char folder[] = "/tmp/gwctl-test-XXXXXX";
static char path[64];
static struct err err;

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
}

static void tear_down(void)
{
    unlink(path);
    rmdir(folder);
}

static void expect_private(int fd)
{
    struct stat stat_of;
    ck_assert_msg(fd >= 0, "%s", err.text);
    ck_assert_int_eq(stat(path, &stat_of), 0);
    ck_assert_uint_eq(stat_of.st_mode, S_IFSOCK | 0600);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

START_TEST(listens_once)
{
    int first = usock_listen(path, &err);
    expect_private(first);
    ck_assert_int_eq(usock_listen(path, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "another process listens there"));
    close(first);
    int second = usock_listen(path, &err); // a leftover
    expect_private(second);
    close(second);
}
END_TEST

START_TEST(binds_datagrams)
{
    int on = 0;
    socklen_t size = sizeof on;
    int first = usock_bind_datagram(path, &err);
    expect_private(first);
    ck_assert_int_eq(getsockopt(first, SOL_SOCKET, SO_PASSCRED, &on, &size), 0);
    ck_assert_int_eq(on, 1);
    int second = usock_bind_datagram(path, &err); // takes the name over
    expect_private(second);
    close(first);
    close(second);
}
END_TEST

START_TEST(nobody_there)
{
    ck_assert_int_eq(usock_connect(path, &err), -1);
    ck_assert_int_eq(errno, ENOENT);
    int fd = usock_listen(path, &err);
    close(fd);
    ck_assert_int_eq(usock_connect(path, NULL), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    char long_path[200];
    snprintf(long_path, sizeof long_path, "/tmp/%0150d", 0);
    ck_assert_int_eq(usock_connect(long_path, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "too long for a socket"));
}
END_TEST

START_TEST(knows_the_peer)
{
    pid_t pid = 0;
    uid_t uid = 99;
    int listener = usock_listen(path, &err);
    int client = usock_connect(path, &err);
    int server = accept(listener, NULL, NULL);
    ck_assert_int_eq(usock_peer(server, &pid, &uid, &err), 0);
    ck_assert_int_eq(pid, getpid());
    ck_assert_uint_eq(uid, getuid());
    ck_assert_int_eq(usock_peer(server, NULL, NULL, &err), 0);
    close(server);
    close(client);
    close(listener);
}
END_TEST

START_TEST(knows_the_groups_of_the_peer)
{
    gid_t groups[NGROUPS_MAX];
    int pair[2], count = getgroups(NGROUPS_MAX, groups);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert(usock_peer_has_group(pair[0], getegid()));
    for (int i = 0; i < count; i++)
        ck_assert(usock_peer_has_group(pair[0], groups[i]));
    ck_assert(!usock_peer_has_group(pair[0], 2147483000));
    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(carries_descriptors)
{
    int pair[2], pipes[2], fds[USOCK_FDS_MAX];
    size_t count;
    char bytes[16];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_msg(usock_send(pair[0], "line", 4, pipes, 2, &err) == 0, "%s", err.text);
    ck_assert_int_eq(usock_receive(pair[1], bytes, sizeof bytes, fds, &count, &err), 4);
    ck_assert_uint_eq(count, 2);
    ck_assert(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_assert_int_eq(read(pipes[0], bytes, 1), 1); // the same pipe

    ck_assert_int_eq(usock_send(pair[0], "only", 4, NULL, 0, &err), 0);
    ck_assert_int_eq(usock_receive(pair[1], bytes, sizeof bytes, fds, &count, &err), 4);
    ck_assert_uint_eq(count, 0);
    close(pair[0]);
    ck_assert_int_eq(usock_receive(pair[1], bytes, sizeof bytes, fds, &count, &err), 0);
    ck_assert_int_eq(usock_send(pair[1], "x", 1, NULL, 0, &err), -1); // and no SIGPIPE
}
END_TEST

START_TEST(limits)
{
    int pair[2], many[USOCK_FDS_MAX + 1], fds[USOCK_FDS_MAX];
    size_t count;
    char byte;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    for (size_t i = 0; i < USOCK_FDS_MAX + 1; i++)
        many[i] = 0;
    ck_assert_int_eq(usock_send(pair[0], "x", 1, many, USOCK_FDS_MAX + 1, &err), -1);
    ck_assert_int_eq(usock_send(pair[0], "x", 1, many, USOCK_FDS_MAX, &err), 0);
    ck_assert_int_eq(usock_receive(pair[1], &byte, 1, fds, &count, &err), 1);
    ck_assert_uint_eq(count, USOCK_FDS_MAX);
    ck_assert_int_eq(usock_receive(pair[1], &byte, 1, fds, &count, &err), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_uint_eq(count, 0);
}
END_TEST

// Sends one descriptor more than usock_receive has room for; usock_send would refuse to.
static void send_too_many(int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * (USOCK_FDS_MAX + 1))];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN(sizeof(int) * (USOCK_FDS_MAX + 1))}};
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    memset(CMSG_DATA(&control.header), 0, sizeof(int) * (USOCK_FDS_MAX + 1)); // all stdin
    ck_assert_int_eq(sendmsg(fd, &message, 0), 1);
}

START_TEST(too_many_descriptors_are_closed)
{
    int pair[2], fds[USOCK_FDS_MAX];
    size_t count;
    char byte;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int next = dup(0); // the lowest free number
    close(next);
    send_too_many(pair[0]);
    ck_assert_int_eq(usock_receive(pair[1], &byte, 1, fds, &count, &err), -1);
    ck_assert_str_eq(err.text, "receive: too many descriptors in one message");
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(dup(0), next); // none is left open
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("usock");
    TCase *tests = tcase_create("usock");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, listens_once);
    tcase_add_test(tests, binds_datagrams);
    tcase_add_test(tests, nobody_there);
    tcase_add_test(tests, knows_the_peer);
    tcase_add_test(tests, knows_the_groups_of_the_peer);
    tcase_add_test(tests, carries_descriptors);
    tcase_add_test(tests, limits);
    tcase_add_test(tests, too_many_descriptors_are_closed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
