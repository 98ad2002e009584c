// Readiness probes against a server of the test's own, and shell commands.

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_test.h"
#include "probe.h"
#include "common/procinfo.h"

enum { LONG_MS = 60000, SHORT_MS = 50 };

struct verdict {
    bool came;
    bool ok;
    char reason[128];
};

static void on_done(void *context, bool ok, const char *reason)
{
    struct verdict *verdict = context;
    ck_assert(!verdict->came);
    ck_assert_int_eq(ok, reason == NULL);
    verdict->came = true;
    verdict->ok = ok;
    snprintf(verdict->reason, sizeof verdict->reason, "%s", reason ? reason : "");
}

// A listening socket, for the kernel to complete connections, and nobody who accepts.
static int listen_on_loopback(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

// A process that answers one request with these bytes, in two writes, and closes.
static pid_t serve(int listener, const char *answer)
{
    pid_t pid = fork();
    if (pid == 0) {
        char request[1024] = "";
        size_t half = strlen(answer) / 2;
        int fd = accept(listener, NULL, NULL);
        ssize_t length = recv(fd, request, sizeof request - 1, 0);
        if (length < 0 || strncmp(request, "GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:", 39) != 0 ||
            !strstr(request, "\r\n\r\n"))
            answer = "HTTP/1.0 599 bad request of the probe\r\n", half = 5;
        if (send(fd, answer, half, MSG_NOSIGNAL) >= 0)
            send(fd, answer + half, strlen(answer) - half, MSG_NOSIGNAL);
        _exit(0);
    }
    return pid;
}

static struct verdict run(struct probe_options options)
{
    struct verdict verdict = {0};
    loop_test_open();
    ck_assert_ptr_nonnull(probe_start(&test_loop, &options, on_done, &verdict));
    ck_assert(!verdict.came);
    loop_test_wait(loop_test_is_set, &verdict.came);
    loop_test_close();
    return verdict;
}

static void expect(struct verdict verdict, const char *reason)
{
    ck_assert_str_eq(verdict.reason, reason ? reason : "");
    ck_assert_int_eq(verdict.ok, reason == NULL);
}

static struct probe_options http(int port, uint64_t timeout_ms)
{
    return (struct probe_options){.kind = PROBE_HTTP,
                                  .host = "127.0.0.1",
                                  .port = port,
                                  .path = "/healthz",
                                  .timeout_ms = timeout_ms};
}

static const struct {
    const char *answer;
    const char *reason; // NULL: ok
} answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL},
    {"HTTP/1.0 204\r\n", NULL},
    {"HTTP/1.1 302 Found\r\n\r\n", NULL},
    {"HTTP/1.1 399 \r\n\r\n", NULL},
    {"HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP 503"},
    {"HTTP/1.1 400 Bad\r\n\r\n", "HTTP 400"},
    {"HTTP/1.1 199 x\r\n\r\n", "HTTP 199"},
    {"HTTP/2.0 200 OK\r\n\r\n", "not an HTTP answer"},
    {"HTTP/1.1 2000 OK\r\n\r\n", "not an HTTP answer"},
    {"SSH-2.0-OpenSSH\r\n", "not an HTTP answer"},
    {"HTTP/1.1 200", "closed without an answer"},
    {"", "closed without an answer"},
};

START_TEST(http_answers)
{
    int port;
    int listener = listen_on_loopback(&port);
    serve(listener, answers[_i].answer);
    expect(run(http(port, LONG_MS)), answers[_i].reason);
    close(listener);
}
END_TEST

struct drip {
    int listener;
    int connection; // -1: not yet
    const char *rest;
    struct verdict verdict;
};

// A byte for each turn of the loop.
static bool drip_and_look(void *context)
{
    struct drip *drip = context;
    if (drip->connection < 0)
        drip->connection = accept4(drip->listener, NULL, NULL, SOCK_CLOEXEC);
    else if (*drip->rest)
        ck_assert_int_eq(send(drip->connection, drip->rest++, 1, MSG_NOSIGNAL), 1);
    return drip->verdict.came;
}

START_TEST(an_answer_in_pieces)
{
    int port;
    struct drip drip = {.connection = -1, .rest = "HTTP/1.1 200 "};
    drip.listener = listen_on_loopback(&port);
    struct probe_options options = http(port, LONG_MS);
    loop_test_open();
    probe_start(&test_loop, &options, on_done, &drip.verdict);
    loop_test_wait(drip_and_look, &drip);
    loop_test_close();
    expect(drip.verdict, NULL);
    ck_assert_str_eq(drip.rest, "");
    close(drip.connection);
    close(drip.listener);
}
END_TEST

START_TEST(nobody_listens)
{
    int port;
    close(listen_on_loopback(&port));
    expect(run(http(port, LONG_MS)), "connection refused");
    struct probe_options tcp = http(port, LONG_MS);
    tcp.kind = PROBE_TCP;
    expect(run(tcp), "connection refused");
}
END_TEST

START_TEST(a_server_that_does_not_answer)
{
    int port;
    int listener = listen_on_loopback(&port);
    expect(run(http(port, SHORT_MS)), "timeout");
    struct probe_options tcp = http(port, LONG_MS);
    tcp.kind = PROBE_TCP;
    expect(run(tcp), NULL);
    close(listener);
}
END_TEST

START_TEST(a_host_that_is_none)
{
    struct probe_options options = http(80, LONG_MS);
    options.host = "nonsense";
    expect(run(options), "invalid argument");
}
END_TEST

static struct probe_options exec(const char *command, uint64_t timeout_ms)
{
    return (struct probe_options){.kind = PROBE_EXEC, .command = command, .timeout_ms = timeout_ms};
}

START_TEST(commands)
{
    char name[] = "PROBE=yes";
    char *env[] = {name, NULL};
    struct probe_options options = exec("test \"$PROBE$PWD\" = yes/usr", LONG_MS);

    expect(run(exec("true", LONG_MS)), NULL);
    expect(run(exec("exit 3", LONG_MS)), "exited 3");
    expect(run(exec("kill -9 $$", LONG_MS)), "killed by signal 9");
    expect(run(options), "exited 1");
    options.env = env;
    options.cwd = "/usr";
    expect(run(options), NULL);
    options.cwd = "/nowhere";
    expect(run(options), "no such file or directory");
}
END_TEST

// A command that tells its session on a pipe and then has a child sleep.
static struct probe *start_sleeper(uint64_t timeout_ms, struct verdict *verdict, pid_t *session)
{
    char command[128], text[16] = "";
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    snprintf(command, sizeof command, "sleep 1000 & echo $$ > /proc/%d/fd/%d; wait", getpid(),
             ends[1]);
    struct probe_options options = exec(command, timeout_ms);
    struct probe *probe = probe_start(&test_loop, &options, on_done, verdict);
    ck_assert_int_gt(read(ends[0], text, sizeof text - 1), 0);
    *session = atoi(text);
    close(ends[0]);
    close(ends[1]);
    return probe;
}

static bool session_is_empty(void *session)
{
    struct procinfo *list;
    size_t members = 0, count = procinfo_list(&list);
    for (size_t i = 0; i < count; i++)
        members += list[i].session == *(pid_t *)session;
    free(list);
    return members == 0;
}

START_TEST(a_command_is_killed_with_its_children_at_the_deadline)
{
    struct verdict verdict = {0};
    pid_t session;
    loop_test_open();
    start_sleeper(SHORT_MS, &verdict, &session);
    loop_test_wait(loop_test_is_set, &verdict.came);
    expect(verdict, "timeout");
    loop_test_wait(session_is_empty, &session);
    loop_test_close();
}
END_TEST

START_TEST(after_cancel_nothing_comes)
{
    struct verdict verdict = {0};
    pid_t session;
    int port;
    int listener = listen_on_loopback(&port);
    struct probe_options options = http(port, LONG_MS);

    loop_test_open();
    probe_cancel(probe_start(&test_loop, &options, on_done, &verdict));
    struct probe *probe = probe_start(&test_loop, &options, on_done, &verdict);
    uv_run(&test_loop, UV_RUN_ONCE);
    probe_cancel(probe);
    probe_cancel(start_sleeper(LONG_MS, &verdict, &session));
    loop_test_wait(session_is_empty, &session);
    probe_cancel(NULL);
    loop_test_close();
    ck_assert(!verdict.came);
    close(listener);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("probe");
    TCase *tests = tcase_create("probe");
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, http_answers, 0, sizeof answers / sizeof answers[0]);
    tcase_add_test(tests, an_answer_in_pieces);
    tcase_add_test(tests, nobody_listens);
    tcase_add_test(tests, a_server_that_does_not_answer);
    tcase_add_test(tests, a_host_that_is_none);
    tcase_add_test(tests, commands);
    tcase_add_test(tests, a_command_is_killed_with_its_children_at_the_deadline);
    tcase_add_test(tests, after_cancel_nothing_comes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
