// In children, since there is no way back. Each exits with what the system call that it tried says.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"

static char *const args[] = {(char *)"/bin/true", NULL};
static char *const env[] = {NULL};

static int by_execve(void)
{
    return execve(args[0], args, env);
}

static int by_execveat(void)
{
    return (int)syscall(SYS_execveat, AT_FDCWD, args[0], args, env, 0);
}

static int by_vfork(void)
{
    return system("exit 0") == 127 << 8 ? -1 : 0;
}

static int (*const ways[])(void) = {by_execve, by_execveat, by_vfork};

static int child_of(int (*try)(void))
{
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        struct err err;
        if (sandbox_forbid_exec(&err) == -1)
            _exit(100);
        errno = EPERM; // what system() leaves is not said
        _exit(try() == -1 ? errno : 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(nothing_is_executed)
{
    ck_assert_int_eq(child_of(ways[_i]), EPERM);
}
END_TEST

static int files_and_threads(void)
{
    int fd = open("/dev/null", O_RDONLY);
    return fd == -1 || close(fd) == -1 ? -1 : 0;
}

START_TEST(other_calls_go_on)
{
    ck_assert_int_eq(child_of(files_and_threads), 0);
}
END_TEST

static int pipe_ends[2], thread_errno;

static void *execute_later(void *context)
{
    char byte;
    if (read(pipe_ends[0], &byte, 1) == 1 && by_execve() == -1)
        thread_errno = errno;
    return context;
}

// Does not return.
static void try_from_a_thread_that_was_there_before(void)
{
    struct err err;
    pthread_t thread;
    if (pipe(pipe_ends) == -1 || pthread_create(&thread, NULL, execute_later, NULL) != 0 ||
        sandbox_forbid_exec(&err) == -1 || write(pipe_ends[1], "x", 1) != 1)
        _exit(100);
    pthread_join(thread, NULL);
    _exit(thread_errno);
}

START_TEST(threads_that_run_already)
{
    pid_t pid = fork();
    int status;
    if (pid == 0)
        try_from_a_thread_that_was_there_before();
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EPERM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox");
    TCase *tests = tcase_create("sandbox");
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, nothing_is_executed, 0, (int)(sizeof ways / sizeof *ways));
    tcase_add_test(tests, other_calls_go_on);
    tcase_add_test(tests, threads_that_run_already);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
