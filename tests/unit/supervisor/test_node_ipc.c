// The channel of a Node process: messages whole, in pieces, long, and other than "ready".

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop_test.h"
#include "node_ipc.h"

static struct node_ipc *ipc;
static int child;
static int ready;

static void on_ready(void *context)
{
    ck_assert_ptr_eq(context, &ready);
    ready++;
}

static void set_up(void)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    loop_test_open();
    ready = 0;
    child = ends[1];
    ipc = node_ipc_open(&test_loop, ends[0], on_ready, &ready);
}

static void tear_down(void)
{
    node_ipc_close(ipc);
    close(child);
    loop_test_close();
}

static void say(const char *text)
{
    ck_assert_int_eq(write(child, text, strlen(text)), (ssize_t)strlen(text));
    uv_run(&test_loop, UV_RUN_NOWAIT);
}

START_TEST(counts_ready_only)
{
    say("{\"cmd\":\"NODE_HANDLE_ACK\"}\n\"steady\"\n\"read\"\n\"ready!\"\n \"ready\"\nready\n\n");
    ck_assert_int_eq(ready, 0);
    say("\"ready\"\n");
    ck_assert_int_eq(ready, 1);
    say("{\"type\":\"log\"}\n\"ready\"\n\"ready\"\n");
    ck_assert_int_eq(ready, 3);
}
END_TEST

START_TEST(takes_pieces)
{
    for (const char *at = "\"ready\"\n"; *at; at++) {
        ck_assert_int_eq(ready, 0);
        say((char[]){*at, '\0'});
    }
    ck_assert_int_eq(ready, 1);
}
END_TEST

START_TEST(drops_long_messages)
{
    char text[10001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    say(text);
    say("\"ready\"\n");
    ck_assert_int_eq(ready, 0); // it was the end of the long one
    say("\"ready\"\n");
    ck_assert_int_eq(ready, 1);
}
END_TEST

START_TEST(survives_the_disconnect)
{
    shutdown(child, SHUT_WR);
    uv_run(&test_loop, UV_RUN_NOWAIT);
    ck_assert_int_ge(node_ipc_fd(ipc), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node_ipc");
    TCase *tests = tcase_create("node_ipc");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, counts_ready_only);
    tcase_add_test(tests, takes_pieces);
    tcase_add_test(tests, drops_long_messages);
    tcase_add_test(tests, survives_the_disconnect);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
