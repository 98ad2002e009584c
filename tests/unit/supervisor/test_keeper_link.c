// The supervisor's end of the keeper, with a keeper that the test plays.
//
// Inherited fds begin at 3, where the test program would have its own, check's among them; so main
// keeps these numbers free for the tests.

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/proto.h"
#include "common/usock.h"
#include "keeper_link.h"
#include "loop_test.h"

enum { FIRST_FD = 3, TEST_FDS = 4 };

static struct keeper_link *keeper;
static int keepers_end = -1;
static struct {
    int exits;
    pid_t pid;
    int status;
    bool lost;
} seen;

static void on_exit_packet(void *context, pid_t pid, int status)
{
    ck_assert_ptr_eq(context, &seen);
    seen.exits++;
    seen.pid = pid;
    seen.status = status;
}

static void on_lost(void *context)
{
    ck_assert_ptr_eq(context, &seen);
    seen.lost = true;
}

static const struct keeper_link_events events = {on_exit_packet, on_lost};

static void set_environment(const char *pid, const char *fds, const char *names)
{
    char own[16];
    snprintf(own, sizeof own, "%d", (int)getpid());
    setenv("LISTEN_PID", pid ? pid : own, 1);
    setenv("LISTEN_FDS", fds, 1);
    setenv("LISTEN_FDNAMES", names, 1);
}

// fd 3 + index becomes `fd`, which is closed.
static void place(int fd, int index)
{
    ck_assert_int_eq(dup2(fd, FIRST_FD + index), FIRST_FD + index);
    close(fd);
}

static int high(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    close(fd);
    return moved;
}

static void open_link(void)
{
    struct err err = {{0}};
    loop_test_open();
    keeper = keeper_link_open(&test_loop, &events, &seen, &err);
    ck_assert_msg(keeper != NULL, "%s", err.text);
}

// Puts "keeper", "a.1", "b", "a.2" at 3 to 6, and opens the link.
static void open_with_keeper(void)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    keepers_end = high(ends[0]);
    int link = high(ends[1]);
    for (int i = 1; i < 4; ++i)
        place(high(open("/dev/null", O_RDWR)), i);
    place(link, 0);
    set_environment(NULL, "4", "keeper:a.1:b:a.2");
    open_link();
}

static void close_link(void)
{
    keeper_link_close(keeper);
    loop_test_close();
    if (keepers_end >= 0)
        close(keepers_end);
}

static void expect_packet(const char *text, bool with_fd)
{
    char bytes[512] = "";
    int fds[USOCK_FDS_MAX];
    size_t count;
    struct err err;
    ck_assert_int_gt(usock_receive(keepers_end, bytes, sizeof bytes - 1, fds, &count, &err), 0);
    ck_assert_str_eq(bytes, text);
    ck_assert_uint_eq(count, with_fd);
    if (count > 0)
        close(fds[0]);
}

static void tell(const char *text)
{
    ck_assert_int_eq(send(keepers_end, text, strlen(text), 0), (ssize_t)strlen(text));
}

START_TEST(inherited_fds_by_name)
{
    size_t cursor = 0;
    open_with_keeper();
    ck_assert(keeper_link_connected(keeper));
    ck_assert_ptr_null(getenv("LISTEN_FDS"));
    ck_assert_ptr_null(getenv("LISTEN_PID"));
    ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
    for (int fd = FIRST_FD; fd < FIRST_FD + 4; ++fd)
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_str_eq(keeper_link_next(keeper, "a.", &cursor), "a.1");
    ck_assert_int_eq(keeper_link_take(keeper, "a.1"), 4);
    ck_assert_str_eq(keeper_link_next(keeper, "a.", &cursor), "a.2");
    ck_assert_ptr_null(keeper_link_next(keeper, "a.", &cursor));
    ck_assert_int_eq(keeper_link_take(keeper, "a.1"), -1);
    ck_assert_int_eq(keeper_link_take(keeper, "nothing"), -1);
    ck_assert_int_eq(keeper_link_take(keeper, "keeper"), -1);
    ck_assert_int_eq(keeper_link_take(keeper, "b"), 5);
    keeper_link_discard_rest(keeper);
    ck_assert_int_eq(fcntl(6, F_GETFD), -1);
    expect_packet("FDSTOREREMOVE=1\nFDNAME=a.2", false);
    ck_assert_int_eq(fcntl(5, F_GETFD), FD_CLOEXEC); // who took it owns it
    close(4);
    close(5);
    close_link();
}
END_TEST

START_TEST(stores_and_removes)
{
    char longest[KEEPER_NAME_MAX + 2] = "", text[512];
    struct err err;

    open_with_keeper();
    ck_assert_int_eq(keeper_link_store(keeper, "state", STDIN_FILENO, &err), 0);
    expect_packet("FDSTORE=1\nFDNAME=state", true);
    keeper_link_remove(keeper, "state");
    expect_packet("FDSTOREREMOVE=1\nFDNAME=state", false);
    memset(longest, 'x', KEEPER_NAME_MAX);
    ck_assert_int_eq(keeper_link_store(keeper, longest, STDIN_FILENO, &err), 0);
    snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s", longest);
    expect_packet(text, true);
    longest[KEEPER_NAME_MAX] = 'x';
    const char *bad[] = {"", "a:b", "a b", "a\n", "\xc3\xa4", longest};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        ck_assert_int_eq(keeper_link_store(keeper, bad[i], STDIN_FILENO, &err), -1);
        keeper_link_remove(keeper, bad[i]);
    }
    ck_assert_int_eq(keeper_link_store(keeper, "closed", 999, &err), -1);
    ck_assert_int_eq(recv(keepers_end, text, sizeof text, MSG_DONTWAIT), -1);
    close_link();
}
END_TEST

static bool has_packet(void *context)
{
    char byte;
    (void)context;
    return recv(keepers_end, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

START_TEST(a_full_socket_does_not_block_and_loses_nothing)
{
    enum { PACKETS = 700 };
    char name[32], text[64];
    struct err err = {{0}};

    open_with_keeper();
    for (int i = 0; i < PACKETS; ++i) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        snprintf(name, sizeof name, "fd.%d", i);
        ck_assert_msg(keeper_link_store(keeper, name, fd, &err) == 0, "%s", err.text);
        close(fd); // ours was borrowed
    }
    for (int i = 0; i < PACKETS; ++i) {
        snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=fd.%d", i);
        if (i == 100)
            keeper_link_remove(keeper, "fd.0"); // there is room now, but it is not its turn
        if (i >= 100)
            loop_test_wait(has_packet, NULL);
        expect_packet(text, true);
    }
    loop_test_wait(has_packet, NULL);
    expect_packet("FDSTOREREMOVE=1\nFDNAME=fd.0", false);
    close_link();
}
END_TEST

static bool has_exits(void *count)
{
    return seen.exits >= *(int *)count;
}

START_TEST(exits_come_and_rubbish_does_not)
{
    const char *rubbish[] = {"EXIT",
                             "EXIT 5",
                             "EXIT 0 0",
                             "EXIT -1 0",
                             "EXIT 5 0 ",
                             "exit 5 0",
                             "FDSTORE=1\nFDNAME=a",
                             "EXIT 5 0x",
                             "\x1b"};
    int expected = 1;

    open_with_keeper();
    for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; ++i)
        tell(rubbish[i]);
    tell("EXIT 1234 256");
    loop_test_wait(has_exits, &expected);
    ck_assert_int_eq(seen.exits, 1);
    ck_assert_int_eq(seen.pid, 1234);
    ck_assert_int_eq(seen.status, 256);
    for (expected = 1; expected <= 150; ++expected)
        tell("EXIT 77 9");
    loop_test_wait(has_exits, &expected);
    close_link();
}
END_TEST

START_TEST(the_keepers_death)
{
    struct err err;
    open_with_keeper();
    tell("EXIT 5 0");
    close(keepers_end);
    keepers_end = -1;
    loop_test_wait(loop_test_is_set, &seen.lost);
    ck_assert_int_eq(seen.exits, 1); // what it said before
    ck_assert(!keeper_link_connected(keeper));
    ck_assert_int_eq(keeper_link_store(keeper, "x", STDIN_FILENO, &err), 0);
    keeper_link_remove(keeper, "x");
    close_link();
}
END_TEST

START_TEST(without_a_keeper)
{
    struct err err;
    unsetenv("LISTEN_PID");
    open_link();
    ck_assert(!keeper_link_connected(keeper));
    ck_assert_int_eq(keeper_link_take(keeper, "a"), -1);
    ck_assert_ptr_null(keeper_link_next(keeper, "", &(size_t){0}));
    ck_assert_int_eq(keeper_link_store(keeper, "a", STDIN_FILENO, &err), 0);
    keeper_link_remove(keeper, "a");
    keeper_link_discard_rest(keeper);
    close_link();
    keeper_link_close(NULL);
}
END_TEST

START_TEST(fds_for_another_process_are_not_ours)
{
    set_environment("1", "1", "keeper");
    open_link();
    ck_assert(!keeper_link_connected(keeper));
    ck_assert_ptr_null(getenv("LISTEN_FDS"));
    close_link();
}
END_TEST

static const char *const senseless[][2] = {{"2", "a"},  {"1", "a:b"},   {"x", "a"},
                                           {"-1", "a"}, {"3", "a:b:c"}, {"0", "a"}};

START_TEST(what_makes_no_sense_is_an_error)
{
    struct err err = {{0}};
    close(FIRST_FD + 2); // 3 and 4 are there, 5 is not
    set_environment(NULL, senseless[_i][0], senseless[_i][1]);
    // No loop is needed to refuse, and its own fds would stand here.
    ck_assert_ptr_null(keeper_link_open(&test_loop, &events, &seen, &err));
    ck_assert_str_ne(err.text, "");
    ck_assert_ptr_null(getenv("LISTEN_PID"));
}
END_TEST

int main(void)
{
    while (open("/dev/null", O_RDONLY) < FIRST_FD + TEST_FDS - 1)
        ;
    Suite *suite = suite_create("keeper_link");
    TCase *tests = tcase_create("keeper_link");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, inherited_fds_by_name);
    tcase_add_test(tests, stores_and_removes);
    tcase_add_test(tests, a_full_socket_does_not_block_and_loses_nothing);
    tcase_add_test(tests, exits_come_and_rubbish_does_not);
    tcase_add_test(tests, the_keepers_death);
    tcase_add_test(tests, without_a_keeper);
    tcase_add_test(tests, fds_for_another_process_are_not_ours);
    tcase_add_loop_test(tests, what_makes_no_sense_is_an_error, 0,
                        sizeof senseless / sizeof senseless[0]);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
