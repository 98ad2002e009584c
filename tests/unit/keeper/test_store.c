// The table of fds: put, replaced, removed, handed down and taken over. Whatever needs certain fd
// numbers runs in a child of its own, because the check library has fds too.

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/proto.h"
#include "store.h"

enum { LOOK_UP_TO = 128 }; // no test has an fd beyond

// For children: check's own assertions would write to fds that are not there any more.
static void need(bool condition, const char *what, int number)
{
    if (condition)
        return;
    dprintf(STDERR_FILENO, "in the child: %s (%d)\n", what, number);
    _exit(1);
}

static void run_in_child(void (*body)(int number), int number)
{
    int status = -1;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close_range(STORE_FIRST_FD, ~0U, 0);
        body(number);
        _exit(0);
    }
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
}

// A file that holds `text`, at this number.
static void make_file(const char *text, int number, int flags)
{
    int fd = memfd_create(text, 0);
    ssize_t length = (ssize_t)strlen(text);
    need(fd >= 0 && write(fd, text, strlen(text)) == length, "a file was made", number);
    need(fcntl(number, F_GETFD) == -1 || fd == number, "its number is free", number);
    if (fd != number) {
        need(dup3(fd, number, flags) == number, "it has its number", number);
        close(fd);
    } else if (flags) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
}

static bool holds(int fd, const char *text)
{
    char bytes[64] = "";
    return pread(fd, bytes, sizeof bytes - 1, 0) >= 0 && strcmp(bytes, text) == 0;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1;
}

static bool is_inherited(int fd)
{
    return fcntl(fd, F_GETFD) == 0;
}

// --- the table ----------------------------------------------------------------------------------

START_TEST(names)
{
    static const char *const good[] = {"a", "!", "~", "listen.0", "api#1/out", "A=B"};
    static const char *const bad[] = {"", " ", "a b", "a:b", ":", "a\n", "\x7f", "\xc3\xa4"};
    char name[KEEPER_NAME_MAX + 2];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(store_name_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!store_name_valid(bad[i]), "%s", bad[i]);
    memset(name, 'x', sizeof name);
    name[KEEPER_NAME_MAX + 1] = '\0';
    ck_assert(!store_name_valid(name));
    ck_assert(store_name_valid(name + 1));
}
END_TEST

static void put_replace_remove(int number)
{
    make_file("1", 10, O_CLOEXEC);
    make_file("2", 11, O_CLOEXEC);
    make_file("3", 12, O_CLOEXEC);
    need(store_put("a", 10) && store_put("b", 11), "there is room", number);
    need(store_put("a", 12), "a name may come again", number);
    need(!is_open(10) && is_open(11) && is_open(12), "the one before is closed", number);
    need(!store_remove("c") && !store_remove(""), "nothing has that name", number);
    need(store_remove("a") && !is_open(12) && is_open(11), "what is removed is closed", number);
    need(!store_remove("a"), "it is gone", number);
    need(store_remove("b") && !is_open(11), "the other one is still there", number);
}

START_TEST(a_name_is_there_once)
{
    run_in_child(put_replace_remove, 0);
}
END_TEST

static void fill(int number)
{
    char name[16];
    enum { NO_FD = 100000 }; // beyond what may be open: the store keeps numbers
    for (int i = 0; i < KEEPER_FDS_MAX; i++) {
        snprintf(name, sizeof name, "fd.%d", i);
        need(store_put(name, NO_FD + i), "there is room", i);
    }
    make_file("1", 10, O_CLOEXEC);
    need(!store_put("more", 10), "it is full", number);
    need(!is_open(10), "what did not fit is closed", number);
    need(!store_remove("more"), "it is not there", number);
    make_file("2", 10, O_CLOEXEC);
    need(store_put("fd.7", 10) && is_open(10), "one that is there is replaced", number);
    make_file("3", 11, O_CLOEXEC);
    need(store_remove("fd.4095") && store_put("more", 11), "there is room again", number);
}

START_TEST(a_full_store)
{
    run_in_child(fill, 0);
}
END_TEST

// --- handing down -------------------------------------------------------------------------------

enum { STORED = 3 };

static const struct order {
    int fds[STORED]; // of "a", "b", "c"
    int link;
} orders[] = {
    {{3, 4, 5}, 6},     // where they are to be
    {{6, 5, 4}, 3},     // backwards
    {{4, 5, 6}, 3},     // each in the place of the one before it
    {{6, 3, 4}, 5},     // ... and behind it
    {{4, 3, 6}, 5},     // in pairs
    {{40, 50, 60}, 70}, // far away
    {{7, 8, 9}, 10},    // where fds that move away go to
    {{5, 90, 3}, 4},
};

static void check_handed_down(int number)
{
    static const char *const texts[] = {"a", "b", "c", "link"};
    char pid[24];
    for (int i = 0; i <= STORED; i++) {
        need(holds(STORE_FIRST_FD + i, texts[i]), "the right fd is there", i);
        need(is_inherited(STORE_FIRST_FD + i), "exec keeps it", i);
    }
    for (int fd = STORE_FIRST_FD + STORED + 1; fd < LOOK_UP_TO; fd++)
        need(!is_inherited(fd), "exec keeps nothing else", fd);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    need(strcmp(getenv("LISTEN_FDS"), "4") == 0, "LISTEN_FDS", number);
    need(strcmp(getenv("LISTEN_FDNAMES"), "a:b:c:keeper") == 0, "LISTEN_FDNAMES", number);
    need(strcmp(getenv("LISTEN_PID"), pid) == 0, "LISTEN_PID", number);
}

static void hand_down(int number)
{
    static const char *const stored_names[] = {"a", "b", "c"};
    const struct order *order = &orders[number];
    for (int i = 0; i < STORED; i++) // away from the low numbers, which memfd_create takes
        make_file(stored_names[i], 100 + i, O_CLOEXEC);
    make_file("link", 100 + STORED, O_CLOEXEC);
    for (int i = 0; i < STORED; i++) {
        need(dup3(100 + i, order->fds[i], O_CLOEXEC) >= 0, "it has its number", i);
        need(store_put(stored_names[i], order->fds[i]), "there is room", i);
    }
    need(dup3(100 + STORED, order->link, O_CLOEXEC) >= 0, "the link has its number", number);
    need(store_hand_down(order->link) == 0, "they are handed down", number);
    check_handed_down(number);
}

START_TEST(handed_down_from_any_number)
{
    run_in_child(hand_down, _i);
}
END_TEST

static void hand_nothing_down(int number)
{
    make_file("link", 9, O_CLOEXEC);
    make_file("other", 3, 0); // in the way, and nobody's
    need(store_hand_down(9) == 0, "the link is handed down", number);
    need(holds(3, "link") && is_inherited(3), "it is the first", number);
    need(strcmp(getenv("LISTEN_FDS"), "1") == 0, "LISTEN_FDS", number);
    need(strcmp(getenv("LISTEN_FDNAMES"), "keeper") == 0, "LISTEN_FDNAMES", number);
}

START_TEST(an_empty_store_hands_the_link_down)
{
    run_in_child(hand_nothing_down, 0);
}
END_TEST

// --- taking over --------------------------------------------------------------------------------

// 3 to 6 are open. `fds` tells how they are afterwards: i inherited (untouched), c close-on-exec,
// x closed. `stored` are the names that are in the store.
static const struct adoption {
    const char *count, *names;
    bool for_another;
    int result;
    const char *fds, *stored;
} adoptions[] = {
    {"0", NULL, false, 0, "iiii", ""},
    {"4", "a:b:c:d", false, 4, "cccc", "abcd"},
    {"2", "a:b", false, 2, "ccii", "ab"},
    {"3", "a:keeper:b", false, 3, "ccci", "ab"}, // the link takes it out (link_open)
    {"3", "a:not valid:b", false, 2, "cxci", "ab"},
    {"2", ":a", false, 1, "xcii", "a"},
    {"3", "a:b:a", false, 2, "xcci", "ab"},
    {"2", "a:b", true, -1, "iiii", ""},
    {"2", NULL, false, -1, "iiii", ""},
    {NULL, "a:b", false, -1, NULL, NULL},
    {"3", "a:b", false, -1, NULL, NULL},
    {"1", "a:b", false, -1, NULL, NULL},
    {"2x", "a:b", false, -1, NULL, NULL},
    {"", "a:b", false, -1, NULL, NULL},
    {"5", "a:b:c:d:e", false, -1, NULL, NULL},
};

static void set_or_unset(const char *variable, const char *value)
{
    if (value)
        setenv(variable, value, 1);
    else
        unsetenv(variable);
}

static void adopt(int number)
{
    const struct adoption *row = &adoptions[number];
    char pid[24], stored[8] = "";
    snprintf(pid, sizeof pid, "%d", (int)(row->for_another ? getppid() : getpid()));
    set_or_unset("LISTEN_PID", pid);
    set_or_unset("LISTEN_FDS", row->count);
    set_or_unset("LISTEN_FDNAMES", row->names);
    for (int fd = 3; fd <= 6; fd++)
        make_file("x", fd, 0);
    need(store_adopt() == row->result, "how many", number);
    for (int i = 0; row->fds && i < 4; i++) {
        char state = !is_open(3 + i) ? 'x' : is_inherited(3 + i) ? 'i' : 'c';
        need(state == row->fds[i], row->fds, 3 + i);
    }
    for (char name[] = "a"; name[0] <= 'e'; name[0]++) {
        if (store_remove(name))
            strcat(stored, name);
    }
    need(!row->stored || strcmp(stored, row->stored) == 0, stored, number);
}

START_TEST(taken_over)
{
    run_in_child(adopt, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, names);
    tcase_add_test(tests, a_name_is_there_once);
    tcase_add_test(tests, a_full_store);
    tcase_add_loop_test(tests, handed_down_from_any_number, 0,
                        (int)(sizeof(orders) / sizeof(orders[0])));
    tcase_add_test(tests, an_empty_store_hands_the_link_down);
    tcase_add_loop_test(tests, taken_over, 0, (int)(sizeof(adoptions) / sizeof(adoptions[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
