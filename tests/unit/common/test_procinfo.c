// What /proc tells: pure parsing, this process, and sessions made for the test.

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/procinfo.h"

START_TEST(reads_a_stat_line)
{
    struct procinfo info;
    // The name is chosen to look like the rest of the line.
    const char *line = "42 (a) S 1 2 (x) R 7 42 41 0 -1 4194560 1 2 3 4 50 25 9 9 20 0 3 0 12345 "
                       "1000000 10 18446744073709551615 1 1";
    long tick = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);

    ck_assert_int_eq(procinfo_parse(line, &info), 0);
    ck_assert_int_eq(info.pid, 42);
    ck_assert_int_eq(info.state, 'R');
    ck_assert_int_eq(info.parent, 7);
    ck_assert_int_eq(info.session, 41);
    ck_assert_uint_eq(info.cpu_ms, 75u * 1000 / (uint64_t)tick);
    ck_assert_uint_eq(info.start_ticks, 12345);
    ck_assert_uint_eq(info.rss_bytes, 10u * (uint64_t)page);
    ck_assert_int_eq(procinfo_parse("", &info), -1);
    ck_assert_int_eq(procinfo_parse("42 (a", &info), -1);
    ck_assert_int_eq(procinfo_parse("42 (a) S 1 2 3", &info), -1);
    ck_assert_int_eq(
        procinfo_parse("x (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20", &info), -1);
}
END_TEST

START_TEST(reads_this_process)
{
    struct procinfo info;
    ck_assert_int_eq(procinfo_read(getpid(), &info), 0);
    ck_assert_int_eq(info.pid, getpid());
    ck_assert_int_eq(info.parent, getppid());
    ck_assert_int_eq(info.session, getsid(0));
    ck_assert_uint_gt(info.rss_bytes, 0);
    ck_assert(procinfo_lives(getpid(), info.start_ticks));
    ck_assert(!procinfo_lives(getpid(), info.start_ticks + 1));
    ck_assert_int_eq(procinfo_read(1 << 30, &info), -1);
}
END_TEST

static pid_t start_idle_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    return child;
}

static bool is_listed(pid_t pid)
{
    struct procinfo *list;
    size_t count = procinfo_list(&list);
    bool found = false;
    for (size_t i = 0; i < count; ++i)
        found = found || (list[i].pid == pid && list[i].start_ticks > 0);
    free(list);
    return found;
}

START_TEST(lists_the_living_and_no_zombie)
{
    struct procinfo info;
    siginfo_t ended;
    pid_t child = start_idle_child();

    ck_assert(is_listed(getpid()));
    ck_assert(is_listed(child));
    ck_assert_int_eq(procinfo_read(child, &info), 0);
    ck_assert_int_eq(info.parent, getpid());
    kill(child, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    ck_assert(!is_listed(child));
    ck_assert(!procinfo_lives(child, info.start_ticks));
    waitpid(child, NULL, 0);
    ck_assert_int_eq(procinfo_read(child, &info), -1);
}
END_TEST

START_TEST(knows_an_only_child)
{
    pid_t first = start_idle_child();
    ck_assert(procinfo_only_child(getpid(), first));
    ck_assert(!procinfo_only_child(getpid(), getpid()));
    pid_t second = start_idle_child();
    ck_assert(!procinfo_only_child(getpid(), first));
    ck_assert(!procinfo_only_child(getpid(), second));
    ck_assert(!procinfo_only_child(first, second));
    kill(first, SIGKILL);
    kill(second, SIGKILL);
    waitpid(first, NULL, 0);
    ck_assert(procinfo_only_child(getpid(), second)); // maybe a zombie: it counts
    waitpid(second, NULL, 0);
    ck_assert(!procinfo_only_child(getpid(), second));
}
END_TEST

START_TEST(finds_processes_by_their_environment)
{
    char filler[5000], value[3];
    pid_t pids[4];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    setenv("GWCTL_TEST_FILLER", filler, 1); // longer than a page
    setenv("GWCTL_TEST_PROCINFO", "4f1d", 1);
    pid_t child = fork();
    if (child == 0) {
        execlp("sleep", "sleep", "100", (char *)NULL);
        _exit(1);
    }
    while (procinfo_with_variable("GWCTL_TEST_PROCINFO", "4f1d", pids, 4) == 0)
        ;
    ck_assert_uint_eq(procinfo_with_variable("GWCTL_TEST_PROCINFO", "4f1d", pids, 4), 1);
    ck_assert_int_eq(pids[0], child);
    ck_assert_uint_eq(procinfo_with_variable("GWCTL_TEST_PROCINFO", "4f1", pids, 4), 0);
    ck_assert_uint_eq(procinfo_with_variable("GWCTL_TEST_PROCINFO", "4f1d", NULL, 0), 1);
    ck_assert(procinfo_variable(child, "GWCTL_TEST_PROCINFO", value, sizeof value));
    ck_assert_str_eq(value, "4f");
    ck_assert(!procinfo_variable(child, "GWCTL_TEST_PROC", value, sizeof value));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_uint_eq(procinfo_with_variable("GWCTL_TEST_PROCINFO", "4f1d", pids, 4), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("procinfo");
    TCase *tests = tcase_create("procinfo");
    tcase_add_test(tests, reads_a_stat_line);
    tcase_add_test(tests, reads_this_process);
    tcase_add_test(tests, lists_the_living_and_no_zombie);
    tcase_add_test(tests, knows_an_only_child);
    tcase_add_test(tests, finds_processes_by_their_environment);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
