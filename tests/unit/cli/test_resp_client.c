// Replies of a cache that the test plays: good ones, refusals, of another kind, broken off.

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/home.h"
#include "common/usock.h"
#include "resp_client.h"

static char root[] = "/tmp/gwctl-test-XXXXXX";

static void set_up(void)
{
    struct err err = {""};
    ck_assert_ptr_nonnull(mkdtemp(root));
    setenv("GWCTL_HOME", root, 1);
    ck_assert_msg(home_find(&err) == 0, "%s", err.text);
}

static void tear_down(void)
{
    unlink(home_path(HOME_CACHE));
    ck_assert_int_eq(rmdir(root), 0);
}

// Answers one command, which must be GET k, and ends.
static void play_cache(int listening, const char *reply)
{
    static const char expected[] = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    char command[sizeof expected];
    fcntl(listening, F_SETFL, 0); // blocking
    int fd = accept(listening, NULL, NULL);
    bool done = fd >= 0 && read(fd, command, sizeof command) == sizeof expected - 1 &&
                memcmp(command, expected, sizeof expected - 1) == 0 &&
                write(fd, reply, strlen(reply)) == (ssize_t)strlen(reply);
    _exit(done ? 0 : 1);
}

static pid_t start_cache(const char *reply)
{
    struct err err = {""};
    int listening = usock_listen(home_path(HOME_CACHE), &err);
    ck_assert_msg(listening >= 0, "%s", err.text);
    pid_t pid = fork();
    if (pid == 0)
        play_cache(listening, reply);
    close(listening);
    return pid;
}

// The reply's text, "nil", or "! " and the error. New string.
static char *get(void)
{
    struct err err = {""};
    char text[ERR_SIZE + 2] = "nil";
    struct resp_client *client = resp_client_connect(&err);
    ck_assert_msg(client != NULL, "%s", err.text);
    redisReply *reply =
        resp_client_call(client, REDIS_REPLY_STRING, (const char *[]){"GET", "k"}, 2, &err);
    if (!reply)
        snprintf(text, sizeof text, "! %s", err.text);
    else if (reply->type == REDIS_REPLY_STRING)
        snprintf(text, sizeof text, "%s", reply->str);
    freeReplyObject(reply);
    resp_client_close(client);
    return strdup(text);
}

static const struct row {
    const char *reply, *expected;
} rows[] = {
    {"$5\r\nvalue\r\n", "value"},
    {"$-1\r\n", "nil"},
    {"-ERR not today\r\n", "! ERR not today"},
    {":1\r\n", "! GET: the cache gave a reply of another kind"},
    {"$5\r\nval", "! the cache: Server closed the connection"},
    {"", "! the cache: Server closed the connection"},
};

START_TEST(replies)
{
    int status;
    pid_t pid = start_cache(rows[_i].reply);
    char *text = get();
    ck_assert_str_eq(text, rows[_i].expected);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    free(text);
}
END_TEST

START_TEST(nobody_listens)
{
    struct err err = {""};
    ck_assert_ptr_null(resp_client_connect(&err));
    ck_assert_ptr_nonnull(strstr(err.text, "no cache runs in /tmp/gwctl-test-"));
    close(usock_listen(home_path(HOME_CACHE), &err)); // its file stays
    ck_assert_ptr_null(resp_client_connect(&err));
    ck_assert_ptr_nonnull(strstr(err.text, "no cache runs in /tmp/gwctl-test-"));
    resp_client_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resp_client");
    TCase *tests = tcase_create("resp_client");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, replies, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(tests, nobody_listens);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
