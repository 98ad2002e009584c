// The list, from a supervisor that the test plays or from none; which process a word means.

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/home.h"
#include "common/usock.h"
#include "processes.h"

static char root[] = "/tmp/gwctl-test-XXXXXX";

static void set_up(void)
{
    struct err err = {""};
    ck_assert_ptr_nonnull(mkdtemp(root));
    setenv("GWCTL_HOME", root, 1);
    ck_assert_msg(home_open(&err) == 0, "%s", err.text);
}

static void tear_down(void)
{
    unlink(home_path(HOME_CONTROL));
    rmdir(home_path(HOME_RUN));
    rmdir(home_path(HOME_LOGS));
    ck_assert_int_eq(rmdir(root), 0);
}

// Answers one request, whatever it is, and ends.
static void play_supervisor(int listening, const char *answer)
{
    char request[256];
    int fd = accept(listening, NULL, NULL);
    bool done = fd >= 0 && read(fd, request, sizeof request) > 0 &&
                write(fd, answer, strlen(answer)) == (ssize_t)strlen(answer);
    _exit(done ? 0 : 1);
}

static const struct row {
    const char *answer;
    const char *processes; // NULL: an error ...
    const char *sentence;  // ... that begins with this
} rows[] = {
    {"{\"id\":1,\"ok\":true,\"processes\":[{\"name\":\"a\"}]}\n", "[{\"name\":\"a\"}]", NULL},
    {"{\"id\":1,\"ok\":true,\"processes\":[]}\n", "[]", NULL},
    {"{\"id\":1,\"ok\":true}\n", "[]", NULL},
    {"{\"id\":1,\"ok\":false,\"error\":\"no\"}\n", NULL, "no"},
    {"{\"id\":1,\"ok\":true", NULL, "the supervisor closed the connection"},
    {"5\n", NULL, ""},
};

START_TEST(what_a_supervisor_answers)
{
    struct err err = {""};
    int status = -1, listening = usock_listen(home_path(HOME_CONTROL), &err);
    ck_assert_msg(listening >= 0, "%s", err.text);
    ck_assert_int_eq(fcntl(listening, F_SETFL, 0), 0); // accept waits
    pid_t child = fork();
    if (child == 0)
        play_supervisor(listening, rows[_i].answer);
    close(listening);
    struct json_object *processes = processes_list(&err);
    if (rows[_i].processes)
        ck_assert_str_eq(json_object_to_json_string_ext(processes, JSON_C_TO_STRING_PLAIN),
                         rows[_i].processes);
    else
        ck_assert_ptr_null(processes);
    if (rows[_i].sentence)
        ck_assert_int_eq(strncmp(err.text, rows[_i].sentence, strlen(rows[_i].sentence)), 0);
    json_object_put(processes);
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(no_supervisor_has_no_processes)
{
    struct err err = {""};
    struct json_object *processes = processes_list(&err);
    ck_assert_ptr_nonnull(processes);
    ck_assert_uint_eq(json_object_array_length(processes), 0);
    json_object_put(processes);
    // A leftover socket is nobody either.
    int listening = usock_listen(home_path(HOME_CONTROL), &err);
    ck_assert_msg(listening >= 0, "%s", err.text);
    close(listening);
    processes = processes_list(&err);
    ck_assert_ptr_nonnull(processes);
    json_object_put(processes);
}
END_TEST

START_TEST(words_of_a_process)
{
    static const char *const its[] = {"api", "12", "all"};
    static const char *const others[] = {"", "ap", "api2", "API", "1", "012", "12 ", "ALL"};
    struct json_object *process = json_tokener_parse("{\"pm_id\":12,\"name\":\"api\"}");
    for (size_t i = 0; i < sizeof its / sizeof *its; i++)
        ck_assert_msg(process_matches(process, its[i]), "%s", its[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!process_matches(process, others[i]), "%s", others[i]);
    json_object_put(process);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("processes");
    TCase *tests = tcase_create("processes");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, what_a_supervisor_answers, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, no_supervisor_has_no_processes);
    tcase_add_test(tests, words_of_a_process);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
