// Slot sockets on loopback, with real connections: who gets them, steered and not.

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listeners.h"

enum { CONNECTIONS = 200 };

static int port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static int open_ok(const char *host, int port, bool first)
{
    struct err err = {{0}};
    int fd = slot_socket_open(host, port, first, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    return fd;
}

static void open_group(int *fds, int count)
{
    fds[0] = open_ok("127.0.0.1", 0, true);
    for (int i = 1; i < count; ++i)
        fds[i] = open_ok("127.0.0.1", port_of(fds[0]), false);
}

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int accept_waiting(int fd)
{
    int count = 0, connection;
    while ((connection = accept(fd, NULL, NULL)) >= 0) {
        close(connection);
        ++count;
    }
    ck_assert_int_eq(errno, EAGAIN);
    return count;
}

// Opens connections, one after the other, and counts which socket each came to.
static void spread(const int *fds, int count, int *got)
{
    int port = port_of(fds[0]);
    memset(got, 0, (size_t)count * sizeof *got);
    for (int n = 0; n < CONNECTIONS; ++n) {
        int client = connect_to(port);
        for (int i = 0; i < count; ++i)
            got[i] += accept_waiting(fds[i]);
        close(client);
    }
}

static int sum(const int *numbers, int count)
{
    int total = 0;
    for (int i = 0; i < count; ++i)
        total += numbers[i];
    return total;
}

START_TEST(spreads_over_all_without_steering)
{
    int fds[3], got[3];
    open_group(fds, 3);
    spread(fds, 3, got);
    ck_assert_int_eq(sum(got, 3), CONNECTIONS);
    for (int i = 0; i < 3; ++i) {
        ck_assert_int_gt(got[i], 0);
        close(fds[i]);
    }
}
END_TEST

START_TEST(steers_away_from_the_last_so_that_it_can_go)
{
    int fds[3], got[3];
    struct err err = {{0}};

    open_group(fds, 3);
    ck_assert_msg(slot_group_steer(fds[0], 2, &err) == 0, "%s", err.text);
    spread(fds, 3, got);
    ck_assert_int_gt(got[0], 0);
    ck_assert_int_gt(got[1], 0);
    ck_assert_int_eq(got[2], 0);
    ck_assert_int_eq(got[0] + got[1], CONNECTIONS);
    close(fds[2]);
    spread(fds, 2, got);
    ck_assert_int_eq(sum(got, 2), CONNECTIONS);
    ck_assert_int_eq(slot_group_steer(fds[1], 1, &err), 0); // any socket of the group will do
    spread(fds, 2, got);
    ck_assert_int_eq(got[0], CONNECTIONS);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(what_waits_in_a_steered_queue_stays_there)
{
    int fds[2], clients[CONNECTIONS];
    struct err err;

    open_group(fds, 2);
    for (int i = 0; i < CONNECTIONS; ++i)
        clients[i] = connect_to(port_of(fds[0]));
    ck_assert(slot_queue_waiting(fds[0]) && slot_queue_waiting(fds[1]));
    ck_assert_int_eq(slot_group_steer(fds[0], 1, &err), 0);
    ck_assert(slot_queue_waiting(fds[1]));
    int left = accept_waiting(fds[1]);
    ck_assert_int_gt(left, 0);
    ck_assert(!slot_queue_waiting(fds[1]) && slot_queue_waiting(fds[0]));
    close(fds[1]);
    ck_assert_int_eq(accept_waiting(fds[0]), CONNECTIONS - left);
    for (int i = 0; i < CONNECTIONS; ++i)
        close(clients[i]);
    close(fds[0]);
}
END_TEST

START_TEST(unsteer_brings_all_back)
{
    int fds[3], got[3];
    struct err err = {{0}};

    open_group(fds, 3);
    ck_assert_msg(slot_group_unsteer(fds[0], &err) == 0, "%s", err.text); // there is nothing yet
    ck_assert_int_eq(slot_group_steer(fds[0], 1, &err), 0);
    ck_assert_int_eq(slot_group_unsteer(fds[0], &err), 0);
    spread(fds, 3, got);
    for (int i = 0; i < 3; ++i) {
        ck_assert_int_gt(got[i], 0);
        close(fds[i]);
    }
    ck_assert_int_eq(slot_group_steer(0, 0, &err), -1);
}
END_TEST

static void expect_in_use(int port)
{
    struct err err;
    char expected[80];
    snprintf(expected, sizeof expected, "127.0.0.1:%d is in use by another process", port);
    ck_assert_int_eq(slot_socket_open("127.0.0.1", port, true, &err), -1);
    ck_assert_str_eq(err.text, expected);
}

START_TEST(the_first_socket_shares_with_nobody)
{
    // Somebody with SO_REUSEPORT, as another supervisor of ours would have it.
    int fd = open_ok("127.0.0.1", 0, true);
    int port = port_of(fd);
    expect_in_use(port);
    close(fd);
    close(open_ok("127.0.0.1", port, true));
    // Somebody on all addresses.
    fd = open_ok("*", 0, true);
    expect_in_use(port_of(fd));
    close(fd);
}
END_TEST

START_TEST(a_program_without_reuseport_keeps_its_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct err err;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    expect_in_use(port_of(fd));
    ck_assert_int_eq(slot_socket_open("127.0.0.1", port_of(fd), false, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "is in use by another process"));
    close(fd);
}
END_TEST

START_TEST(closed_connections_do_not_hold_the_port)
{
    int fd = open_ok("127.0.0.1", 0, true);
    int port = port_of(fd);
    int client = connect_to(port);
    int server = accept(fd, NULL, NULL);
    ck_assert_int_ge(server, 0);
    close(server); // the server closes first: TIME_WAIT is on its side
    close(client);
    close(fd);
    close(open_ok("127.0.0.1", port, true));
}
END_TEST

START_TEST(addresses)
{
    struct err err;
    int value;
    socklen_t size = sizeof value;
    int fd = open_ok("::", 0, true);

    ck_assert_int_eq(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &size), 0);
    ck_assert_int_eq(value, 1);
    close(fd);
    fd = open_ok("", 0, true);
    ck_assert_int_eq(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &size), 0);
    ck_assert_int_eq(value, 0);
    close(connect_to(port_of(fd))); // by IPv4
    ck_assert_int_eq(accept_waiting(fd), 1);
    // Who has the port by IPv4 keeps it.
    ck_assert_int_eq(slot_socket_open("0.0.0.0", port_of(fd), true, &err), -1);
    close(fd);
    fd = open_ok("0.0.0.0", 0, true);
    ck_assert_int_eq(slot_socket_open("*", port_of(fd), true, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "is in use by another process"));
    close(fd);
    close(open_ok("0.0.0.0", 0, true));
    ck_assert_int_eq(slot_socket_open("192.0.2.1", 80, true, &err), -1);
    ck_assert_str_eq(err.text, "192.0.2.1:80: Cannot assign requested address");
    ck_assert_int_eq(slot_socket_open("2001:db8::1", 80, false, &err), -1);
    ck_assert_str_eq(err.text, "[2001:db8::1]:80: Cannot assign requested address");
    ck_assert_int_eq(slot_socket_open("localhost", 80, true, &err), -1);
    ck_assert_str_eq(err.text, "localhost is not an IP address");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listeners");
    TCase *tests = tcase_create("listeners");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, spreads_over_all_without_steering);
    tcase_add_test(tests, steers_away_from_the_last_so_that_it_can_go);
    tcase_add_test(tests, what_waits_in_a_steered_queue_stays_there);
    tcase_add_test(tests, unsteer_brings_all_back);
    tcase_add_test(tests, the_first_socket_shares_with_nobody);
    tcase_add_test(tests, a_program_without_reuseport_keeps_its_port);
    tcase_add_test(tests, closed_connections_do_not_hold_the_port);
    tcase_add_test(tests, addresses);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
