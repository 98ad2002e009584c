// The link to a supervisor that the test plays: registration, pushes, events, and coming back.
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/control_link.h"
#include "common/json.h"
#include "common/log.h"
#include "common/proto.h"
#include "common/usock.h"
#include "loop_test.h"

static char folder[] = "/tmp/gwctl-test-XXXXXX";
static char path[64];
static int listener = -1, peer = -1;
static struct buf received;
static struct control_link *control;
static struct {
    unsigned registered;
    char document[64]; // of the last answer
    char pushes[256];  // "endpoints 7;slot_take a;"
    bool refuses;      // what it hears next
} heard;

// --- what the process hears ---------------------------------------------------------------------

static int on_registered(void *context, struct json_object *answer, struct err *err)
{
    ck_assert_ptr_eq(context, &heard);
    heard.registered++;
    snprintf(heard.document, sizeof heard.document, "%s", json_get_string(answer, "document", ""));
    return heard.refuses ? err_set(err, "not understood") : 0;
}

static void note(const char *push, const char *what)
{
    size_t length = strlen(heard.pushes);
    snprintf(heard.pushes + length, sizeof heard.pushes - length, "%s %s;", push, what);
}

static int on_endpoints(void *context, struct json_object *args, struct err *err)
{
    (void)context;
    note("endpoints", json_get_string(args, "set", "?"));
    return heard.refuses ? err_set(err, "not understood") : 0;
}

static int on_slot_take(void *context, const char *name, uv_pipe_t *pipe, struct err *err)
{
    (void)context;
    (void)err;
    ck_assert_ptr_nonnull(pipe);
    note("slot_take", name);
    return 0;
}

static int on_slot_give(void *context, const char *name, struct err *err)
{
    (void)context;
    (void)err;
    note("slot_give", name);
    return 0;
}

static int on_processes(void *context, struct json_object *args, struct err *err)
{
    (void)context;
    (void)err;
    note("processes", json_get_string(args, "set", "?"));
    return 0;
}

static const struct control_link_handlers all_handlers = {
    on_registered, on_endpoints, on_slot_take, on_slot_give, on_processes,
};
static const struct control_link_handlers one_handler = {.on_registered = on_registered};

// --- the supervisor -----------------------------------------------------------------------------

static void set_up(void)
{
    loop_test_open();
    log_init("test", LOG_LEVEL_ERROR);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
}

static void listen_here(void)
{
    struct err err;
    listener = usock_listen(path, &err);
    ck_assert_msg(listener != -1, "%s", err.text);
}

static void tear_down(void)
{
    control_link_close(control);
    loop_test_close();
    if (peer != -1)
        close(peer);
    if (listener != -1)
        close(listener);
    buf_free(&received);
    unlink(path);
    rmdir(folder);
}

static bool has_peer(void *context)
{
    (void)context;
    peer = accept(listener, NULL, NULL);
    ck_assert(peer != -1 || errno == EAGAIN);
    return peer != -1;
}

static bool has_line(void *context)
{
    (void)context;
    ssize_t length = recv(peer, buf_reserve(&received, 4096), 4096, MSG_DONTWAIT);
    ck_assert(length > 0 || (length == -1 && errno == EAGAIN));
    buf_commit(&received, length > 0 ? (size_t)length : 0);
    return memchr(received.data, '\n', received.length) != NULL;
}

static bool has_ended(void *context)
{
    char byte;
    (void)context;
    return recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void hear(const char *expected)
{
    char *line;
    size_t length;
    loop_test_wait(has_line, NULL);
    ck_assert(buf_take_line(&received, &line, &length));
    ck_assert_str_eq(line, expected);
}

static void say(const char *line)
{
    struct err err;
    ck_assert_int_eq(usock_send(peer, line, strlen(line), NULL, 0, &err), 0);
}

static void hear_registration(const char *role)
{
    char expected[256];
    snprintf(expected, sizeof expected,
             "{\"id\":1,\"cmd\":\"register\",\"args\":{\"role\":\"%s\",\"protocol\":%d,"
             "\"version\":\"%s\"}}",
             role, PROTO_VERSION, GWCTL_VERSION);
    hear(expected);
}

static bool is_registered(void *times)
{
    return heard.registered == *(unsigned *)times;
}

static void wait_registered(unsigned times)
{
    loop_test_wait(is_registered, &times);
}

// A link that is registered, for the first time.
static void open_link(const char *role, const struct control_link_handlers *handlers)
{
    listen_here();
    control = control_link_open(&test_loop, path, role, handlers, &heard);
    loop_test_wait(has_peer, NULL);
    hear_registration(role);
    say("{\"id\":1,\"ok\":true,\"document\":\"d\"}\n");
    wait_registered(1);
}

// It has closed the connection, and comes anew.
static void expect_return(const char *role)
{
    loop_test_wait(has_ended, NULL);
    close(peer);
    loop_test_wait(has_peer, NULL);
    hear_registration(role);
}

// The connection is the same as before, and everything that was said has been read.
static void expect_alive(void)
{
    unsigned times = heard.registered + 1;
    say("{\"id\":1,\"ok\":true}\n");
    wait_registered(times);
}

// --- tests --------------------------------------------------------------------------------------

START_TEST(registers_with_its_role)
{
    open_link(_i == 0 ? "gateway" : "cachesvc", &one_handler);
    ck_assert_str_eq(heard.document, "d");
}
END_TEST

START_TEST(hears_pushes)
{
    open_link("gateway", &all_handlers);
    say("{\"cmd\":\"endpoints\",\"args\":{\"set\":\"7\"}}\n"
        "{\"cmd\":\"slot_take\",\"args\":{\"name\":\"a\"}}\n"
        "{\"cmd\":\"slot_give\",\"args\":{\"name\":\"b\"}}\n{\"cmd\":\"news\"}\n"
        "{\"cmd\":\"processes\",\"args\":{\"set\":\"8\"}}\n");
    expect_alive();
    ck_assert_str_eq(heard.pushes, "endpoints 7;slot_take a;slot_give b;processes 8;");
}
END_TEST

START_TEST(a_push_without_handler_is_ignored)
{
    open_link("cachesvc", &one_handler);
    say("{\"cmd\":\"endpoints\",\"args\":{}}\n{\"cmd\":\"slot_take\",\"args\":{\"name\":\"a\"}}\n"
        "{\"cmd\":\"slot_give\",\"args\":{\"name\":\"a\"}}\n{\"cmd\":\"slot_take\"}\n");
    expect_alive();
}
END_TEST

START_TEST(what_is_not_understood_makes_it_come_anew)
{
    static const char *const lines[] = {
        "{\"cmd\":\"slot_take\",\"args\":{}}\n",
        "{\"cmd\":\"slot_give\"}\n",
        "no JSON\n",
        "{\"id\":1,\"ok\":false,\"error\":\"not allowed\"}\n",
    };
    open_link("gateway", &all_handlers);
    say(lines[_i]);
    expect_return("gateway");
}
END_TEST

START_TEST(a_handler_that_refuses_makes_it_come_anew)
{
    open_link("gateway", &all_handlers);
    heard.refuses = true;
    say(_i == 0 ? "{\"cmd\":\"endpoints\",\"args\":{}}\n" : "{\"id\":1,\"ok\":true}\n");
    expect_return("gateway");
}
END_TEST

START_TEST(comes_back_to_another_supervisor)
{
    open_link("cachesvc", &one_handler);
    shutdown(peer, SHUT_RDWR);
    expect_return("cachesvc");
    say("{\"id\":1,\"ok\":true,\"document\":\"e\"}\n");
    wait_registered(2);
    ck_assert_str_eq(heard.document, "e");
}
END_TEST

START_TEST(acknowledges)
{
    open_link("gateway", &all_handlers);
    control_link_acknowledge(control, UINT64_C(12345678901));
    hear("{\"id\":2,\"cmd\":\"endpoints_ack\",\"args\":{\"generation\":12345678901}}");
}
END_TEST

static const struct event_row {
    const char *text, *sent;
} events[] = {
    {"127.0.0.1:6379", "127.0.0.1:6379"},
    {"", ""},
    {"say \"no\"\n", "say \\\"no\\\"?"},
    {"\xff\xc3\xa4\x1b", "?\xc3\xa4?"},
};

START_TEST(sends_events)
{
    char expected[256];
    open_link("cachesvc", &one_handler);
    control_link_event(control, "redis", "error", events[_i].text);
    snprintf(expected, sizeof expected,
             "{\"cmd\":\"event\",\"args\":{\"source\":\"redis\",\"name\":\"error\","
             "\"text\":\"%s\"}}",
             events[_i].sent);
    hear(expected);
}
END_TEST

START_TEST(a_long_event_is_cut)
{
    char text[300], expected[512];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    open_link("cachesvc", &one_handler);
    control_link_event(control, "redis", "error", text);
    snprintf(expected, sizeof expected,
             "{\"cmd\":\"event\",\"args\":{\"source\":\"redis\",\"name\":\"error\","
             "\"text\":\"%.*s\"}}",
             PROTO_EVENT_SIZE - 1, text);
    hear(expected);
}
END_TEST

// Neither now nor when the supervisor is there.
START_TEST(no_event_without_a_connection)
{
    control = control_link_open(&test_loop, path, "cachesvc", &one_handler, &heard);
    control_link_event(control, "redis", "connect", "while it connects");
    uv_run(&test_loop, UV_RUN_ONCE);
    control_link_event(control, "redis", "connect", "while it waits");
    listen_here();
    loop_test_wait(has_peer, NULL);
    hear_registration("cachesvc");
    say("{\"id\":1,\"ok\":true}\n");
    wait_registered(1);
    control_link_event(control, "redis", "connect", "now");
    hear("{\"cmd\":\"event\",\"args\":{\"source\":\"redis\",\"name\":\"connect\","
         "\"text\":\"now\"}}");
}
END_TEST

START_TEST(no_event_before_the_registration)
{
    listen_here();
    control = control_link_open(&test_loop, path, "cachesvc", &one_handler, &heard);
    control_link_event(control, "redis", "connect", "while it connects");
    loop_test_wait(has_peer, NULL);
    hear_registration("cachesvc");
}
END_TEST

// An answer to a push is a supervisor of another version that does not know the word.
START_TEST(a_refused_event_is_no_reason_to_come_anew)
{
    open_link("cachesvc", &one_handler);
    say("{\"id\":0,\"ok\":false,\"error\":\"unknown command \\\"event\\\"\"}\n");
    expect_alive();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_link");
    TCase *tests = tcase_create("control_link");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, registers_with_its_role, 0, 2);
    tcase_add_test(tests, hears_pushes);
    tcase_add_test(tests, a_push_without_handler_is_ignored);
    tcase_add_loop_test(tests, what_is_not_understood_makes_it_come_anew, 0, 4);
    tcase_add_loop_test(tests, a_handler_that_refuses_makes_it_come_anew, 0, 2);
    tcase_add_test(tests, comes_back_to_another_supervisor);
    tcase_add_test(tests, acknowledges);
    tcase_add_loop_test(tests, sends_events, 0, (int)(sizeof(events) / sizeof(events[0])));
    tcase_add_test(tests, a_long_event_is_cut);
    tcase_add_test(tests, no_event_without_a_connection);
    tcase_add_test(tests, no_event_before_the_registration);
    tcase_add_test(tests, a_refused_event_is_no_reason_to_come_anew);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
