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

// A session of 1 + children processes; each holds the pipe open and waits to be killed. Returns
// when all of them are there.
static pid_t make_session(int children)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t leader = fork();
    if (leader == 0) {
        setsid();
        for (int i = 0; i < children; ++i)
            if (fork() == 0)
                break;
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    for (int i = 0; i <= children; ++i)
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return leader;
}

static void end_session(pid_t leader)
{
    pid_t pids[16];
    size_t count = procinfo_children_of_session(leader, pids, 16);
    for (size_t i = 0; i < count; ++i)
        kill(pids[i], SIGKILL);
    waitpid(leader, NULL, 0);
}

START_TEST(sums_sessions_in_one_walk)
{
    pid_t one = make_session(0), three = make_session(2);
    struct procinfo_session sessions[] = {
        {.session = one}, {.session = three, .processes = 77}, {.session = 1 << 30}};
    pid_t pids[2] = {0, 0};

    procinfo_tree(sessions, 3);
    ck_assert_uint_eq(sessions[0].processes, 1);
    ck_assert_uint_eq(sessions[1].processes, 3);
    ck_assert_uint_eq(sessions[2].processes, 0);
    ck_assert_uint_gt(sessions[0].rss_bytes, 0);
    ck_assert_uint_gt(sessions[1].rss_bytes, sessions[0].rss_bytes);
    ck_assert_uint_eq(sessions[2].rss_bytes, 0);
    ck_assert_uint_eq(procinfo_children_of_session(three, NULL, 0), 3);
    ck_assert_uint_eq(procinfo_children_of_session(three, pids, 1), 3);
    ck_assert_int_ne(pids[0], 0);
    ck_assert_int_eq(pids[1], 0);
    end_session(one);
    end_session(three);
}
END_TEST

START_TEST(a_zombie_does_not_count)
{
    struct procinfo info;
    siginfo_t ended;
    pid_t leader = make_session(0);

    ck_assert_int_eq(procinfo_read(leader, &info), 0);
    kill(leader, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)leader, &ended, WEXITED | WNOWAIT), 0);
    ck_assert_uint_eq(procinfo_children_of_session(leader, NULL, 0), 0);
    ck_assert(!procinfo_lives(leader, info.start_ticks));
    waitpid(leader, NULL, 0);
    ck_assert_int_eq(procinfo_read(leader, &info), -1);
}
END_TEST

START_TEST(finds_processes_by_their_environment)
{
    char filler[5000];
    pid_t pids[4];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    setenv("GWCTL_TEST_FILLER", filler, 1); // so that what is looked for may lie across two reads
    setenv("GWCTL_TEST_PROCINFO", "4f1d", 1);
    pid_t child = fork();
    if (child == 0) {
        execlp("sleep", "sleep", "100", (char *)NULL);
        _exit(1);
    }
    while (procinfo_with_variable("GWCTL_TEST_PROCINFO=4f1d", pids, 4) == 0)
        ;
    ck_assert_uint_eq(procinfo_with_variable("GWCTL_TEST_PROCINFO=4f1d", pids, 4), 1);
    ck_assert_int_eq(pids[0], child);
    ck_assert_uint_eq(procinfo_with_variable("GWCTL_TEST_PROCINFO=4f1", pids, 4), 0);
    ck_assert_uint_eq(procinfo_with_variable("GWCTL_TEST_PROCINFO=4f1d", NULL, 0), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_uint_eq(procinfo_with_variable("GWCTL_TEST_PROCINFO=4f1d", pids, 4), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("procinfo");
    TCase *tests = tcase_create("procinfo");
    tcase_add_test(tests, reads_a_stat_line);
    tcase_add_test(tests, reads_this_process);
    tcase_add_test(tests, sums_sessions_in_one_walk);
    tcase_add_test(tests, a_zombie_does_not_count);
    tcase_add_test(tests, finds_processes_by_their_environment);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
