// Worker verbs on control.sock: who may register as what, and what becomes of an event. The test is
// the peer; its pid is given to one process of the list or another.

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/home.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/usock.h"
#include "control.h"
#include "endpoints.h"
#include "events.h"
#include "guard.h"
#include "keeper_link.h"
#include "loop_test.h"
#include "metricsd_feed.h"
#include "operation.h"

#define APPS "\"apps\":[{\"name\":\"app\",\"script\":\"/s\",\"port\":7}]"
#define GATEWAY                                                                                    \
    "\"gateway\":{\"instances\":1,\"listen\":[{\"address\":\"127.0.0.1:1\"}],"                     \
    "\"upstreams\":{\"u\":{\"app\":\"app\"}},"                                                     \
    "\"routes\":[{\"path\":\"/*\",\"upstream\":\"u\"}]}"

static const char document[] =
    "{" APPS ","
    "\"cachesvc\":{\"redis\":{\"host\":\"db\"}},\"metricsd\":{}," GATEWAY "}";

static char folder[] = "/tmp/gwctl-test-XXXXXX";
static char path[64];
static struct daemon supervisor;
static int peer, old_stderr, log_file;
static struct buf received;

// --- the supervisor -----------------------------------------------------------------------------

// New apps for those that are not in the list; the others get these settings.
static void read_apps(const char *text)
{
    size_t count;
    struct json_object *parsed = json_tokener_parse(text);
    struct config_errors *errors = config_errors_new("t");
    struct ecosystem *ecosystem = ecosystem_from_document(parsed, errors);
    ck_assert_msg(ecosystem != NULL, "%s", config_errors_text(errors, 0));
    config_errors_free(errors);
    json_object_put(parsed);
    struct spec **specs = spec_list(ecosystem, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        struct app *app = daemon_find_app(&supervisor, spec_name(specs[i]));
        if (app)
            app_set_spec(app, specs[i]);
        else
            daemon_add_app(&supervisor, app_new(&supervisor, specs[i], "t"));
        spec_unref(specs[i]);
    }
    free(specs);
}

static void on_exit_reported(void *context, pid_t pid, int status)
{
    (void)context;
    (void)pid;
    (void)status;
}

static void on_keeper_lost(void *context)
{
    (void)context;
}

static const struct keeper_link_events keeper_events = {on_exit_reported, on_keeper_lost};

static void set_up(void)
{
    struct err err;
    loop_test_open();
    supervisor = (struct daemon){.loop = &test_loop};
    supervisor.snapshot_fd = -1;
    supervisor.operations = operations_new(&supervisor);
    supervisor.endpoints = endpoints_new(&supervisor);
    supervisor.feed = metricsd_feed_new(&supervisor);
    supervisor.guard = guard_new(&supervisor);
    supervisor.keeper = keeper_link_open(&test_loop, &keeper_events, NULL, &err);
    ck_assert_ptr_nonnull(supervisor.keeper);
    supervisor.events = events_open(supervisor.keeper, &err);
    ck_assert_ptr_nonnull(supervisor.events);
    supervisor.page = mem_zalloc(1, sizeof *supervisor.page);
    read_apps(document);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    int listener = usock_listen(path, &err);
    ck_assert_msg(listener != -1, "%s", err.text);
    supervisor.control = control_open(&supervisor, listener, HOME_NO_GROUP);
    peer = usock_connect(path, &err);
    ck_assert_msg(peer != -1, "%s", err.text);
    log_init("test", LOG_LEVEL_INFO);
    log_file = memfd_create("log", 0);
    old_stderr = dup(2);
    dup2(log_file, 2);
}

static void tear_down(void)
{
    dup2(old_stderr, 2);
    close(old_stderr);
    close(log_file);
    close(peer);
    buf_free(&received);
    control_close(supervisor.control);
    while (supervisor.apps) {
        struct app *next = supervisor.apps->next;
        supervisor.apps->slots[0]->current->pid = 0;
        app_free(supervisor.apps);
        supervisor.apps = next;
    }
    guard_stop(supervisor.guard);
    keeper_link_close(supervisor.keeper);
    loop_test_close();
    metricsd_feed_free(supervisor.feed);
    events_close(supervisor.events);
    endpoints_free(supervisor.endpoints);
    operations_free(supervisor.operations);
    free(supervisor.page);
    if (supervisor.snapshot_fd >= 0)
        close(supervisor.snapshot_fd);
    unlink(path);
    rmdir(folder);
}

// From here on the test is that app's process.
static void become(const char *name)
{
    daemon_find_app(&supervisor, name)->slots[0]->current->pid = getpid();
}

// --- the peer -----------------------------------------------------------------------------------

static bool has_line(void *context)
{
    (void)context;
    ssize_t length = recv(peer, buf_reserve(&received, 4096), 4096, MSG_DONTWAIT);
    ck_assert(length > 0 || (length == -1 && errno == EAGAIN));
    buf_commit(&received, length > 0 ? (size_t)length : 0);
    return memchr(received.data, '\n', received.length) != NULL;
}

static void say(const char *line)
{
    struct err err;
    ck_assert_int_eq(usock_send(peer, line, strlen(line), NULL, 0, &err), 0);
}

// The next line that comes; to be put.
static struct json_object *hear(void)
{
    struct err err;
    char *line;
    size_t length;
    loop_test_wait(has_line, NULL);
    ck_assert(buf_take_line(&received, &line, &length));
    struct json_object *message = json_parse_message(line, length, &err);
    ck_assert_msg(message != NULL, "%s: %s", line, err.text);
    return message;
}

static char *raw_log(void)
{
    static char text[2048];
    ssize_t length = pread(log_file, text, sizeof(text) - 1, 0);
    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    return text;
}

// What stands in the log after everything that was said, behind the time and the pid; "" nothing.
static const char *read_log(void)
{
    say("{\"id\":99,\"cmd\":\"register\",\"args\":{\"role\":\"none\"}}\n");
    struct json_object *answer = hear();
    ck_assert_int_eq(json_get_int(answer, "id", 0), 99);
    json_object_put(answer);
    char *text = raw_log();
    char *start = strstr(text, "]: ");
    return start ? start + 3 : text;
}

static size_t count_workers(void)
{
    size_t count = 0;
    for (struct app *app = supervisor.apps; app; app = app->next)
        count += app->slots[0]->current->link != NULL;
    return count;
}

// --- register -----------------------------------------------------------------------------------

START_TEST(the_cache_gets_the_document)
{
    become("cachesvc");
    say("{\"id\":7,\"cmd\":\"register\",\"args\":{\"role\":\"cachesvc\",\"protocol\":1}}\n");
    struct json_object *answer = hear();
    struct json_object *expected = json_tokener_parse(document);
    ck_assert(json_get_bool(answer, "ok", false));
    ck_assert_int_eq(json_get_int(answer, "id", 0), 7);
    ck_assert(json_object_equal(json_get_object(answer, "document"), expected));
    ck_assert_int_eq(json_object_object_length(answer), 3);
    // Nobody sends it endpoint sets, or waits for it.
    ck_assert_uint_eq(count_workers(), 0);
    json_object_put(expected);
    json_object_put(answer);
}
END_TEST

static const struct refusal {
    const char *who; // NULL: no process of the list
    const char *role, *error;
} refusals[] = {
    {"cachesvc", "gateway", "not a role of this process"},
    {"cachesvc", "", "not a role of this process"},
    {"gateway", "cachesvc", "not a role of this process"},
    {"app", "cachesvc", "not allowed"},
    {"app", "app", "not allowed"},
    {NULL, "cachesvc", "not allowed"},
};

START_TEST(nobody_is_what_it_is_not)
{
    const struct refusal *row = &refusals[_i];
    if (row->who)
        become(row->who);
    char *line =
        mem_printf("{\"id\":7,\"cmd\":\"register\",\"args\":{\"role\":\"%s\"}}\n", row->role);
    say(line);
    free(line);
    struct json_object *answer = hear();
    ck_assert(!json_get_bool(answer, "ok", true));
    ck_assert_str_eq(json_get_string(answer, "error", ""), row->error);
    ck_assert_uint_eq(count_workers(), 0);
    json_object_put(answer);
}
END_TEST

// What the snapshot that the keeper would have says of the gateway's column.
static int64_t column_in_snapshot(void)
{
    static char text[65536];
    struct err err;
    ssize_t length = pread(supervisor.snapshot_fd, text, sizeof text, 0);
    ck_assert_int_gt(length, 0);
    struct json_object *snapshot = json_parse_message(text, (size_t)length, &err);
    struct json_object *apps = json_get_array(snapshot, "apps");
    struct json_object *gateway =
        json_object_array_get_idx(apps, json_object_array_length(apps) - 1);
    struct json_object *slot = json_object_array_get_idx(json_get_array(gateway, "slots"), 0);
    int64_t column = json_get_int(json_get_object(slot, "current"), "column", -2);
    json_object_put(snapshot);
    return column;
}

START_TEST(a_column_is_noted_before_it_is_given)
{
    supervisor.columns_used[0] = true;
    become("gateway");
    say("{\"id\":7,\"cmd\":\"register\",\"args\":{\"role\":\"gateway\"}}\n");
    struct json_object *answer = hear();
    ck_assert(json_get_bool(answer, "ok", false));
    ck_assert_int_eq(json_get_int(answer, "column", -1), 1);
    ck_assert_int_eq(column_in_snapshot(), 1);
    ck_assert_ptr_nonnull(json_get_object(answer, "endpoints"));
    ck_assert_ptr_nonnull(json_get_object(answer, "document"));
    json_object_put(answer);
}
END_TEST

START_TEST(without_a_column_it_is_refused)
{
    memset(supervisor.columns_used, true, sizeof supervisor.columns_used);
    become("gateway");
    say("{\"id\":7,\"cmd\":\"register\",\"args\":{\"role\":\"gateway\"}}\n");
    struct json_object *answer = hear();
    ck_assert_str_eq(json_get_string(answer, "error", ""), "too many gateway workers");
    ck_assert_uint_eq(count_workers(), 0);
    json_object_put(answer);
}
END_TEST

// --- metricsd -----------------------------------------------------------------------------------

static struct json_object *register_metricsd(void)
{
    become("metricsd");
    say("{\"id\":7,\"cmd\":\"register\",\"args\":{\"role\":\"metricsd\"}}\n");
    struct json_object *answer = hear();
    ck_assert(json_get_bool(answer, "ok", false));
    return answer;
}

static struct worker *worker_of(const char *name)
{
    return daemon_find_app(&supervisor, name)->slots[0]->current;
}

START_TEST(metricsd_hears_of_all)
{
    static const char *const roles[] = {"app", "cachesvc", "metricsd", "gateway"};
    struct json_object *answer = register_metricsd();
    struct json_object *expected = json_tokener_parse(document);
    struct json_object *processes = json_get_array(answer, "processes");
    ck_assert(json_object_equal(json_get_object(answer, "document"), expected));
    ck_assert_int_eq(json_get_int(json_get_object(answer, "endpoints"), "generation", -1), 0);
    ck_assert_uint_eq(json_object_array_length(processes), 4);
    for (size_t i = 0; i < 4; i++) {
        struct json_object *process = json_object_array_get_idx(processes, i);
        ck_assert_str_eq(json_get_string(process, "role", ""), roles[i]);
        ck_assert_int_eq(json_get_int(process, "id", -1), (int64_t)i);
        ck_assert_int_eq(json_get_int(process, "column", 0), -1);
        ck_assert_str_eq(json_get_string(process, "state", ""), "stopped");
    }
    // Its own entry has the pid by which it is known.
    ck_assert_int_eq(json_get_int(json_object_array_get_idx(processes, 2), "pid", 0), getpid());
    json_object_put(expected);
    json_object_put(answer);
}
END_TEST

START_TEST(what_changes_is_pushed_once)
{
    json_object_put(register_metricsd());
    worker_of("app")->state = WORKER_ONLINE;
    worker_of("app")->slot->restarts_by[RESTART_HUNG] = 3;
    metricsd_feed_push(supervisor.feed);
    metricsd_feed_push(supervisor.feed); // nothing is new
    struct json_object *push = hear();
    ck_assert_str_eq(json_get_string(push, "cmd", ""), "processes");
    struct json_object *processes = json_get_array(json_get_object(push, "args"), "processes");
    struct json_object *app = json_object_array_get_idx(processes, 0);
    ck_assert_uint_eq(json_object_array_length(processes), 4);
    ck_assert_str_eq(json_get_string(app, "state", ""), "online");
    ck_assert_int_eq(json_get_int(json_get_object(app, "restarts"), "hung", 0), 3);
    ck_assert_str_eq(read_log(), ""); // the next thing that is heard is its answer
    json_object_put(push);
}
END_TEST

START_TEST(endpoint_sets_are_pushed_and_nobody_waits)
{
    json_object_put(register_metricsd());
    endpoints_resume(supervisor.endpoints, 41);
    endpoints_push(supervisor.endpoints);
    struct json_object *push = hear();
    ck_assert_str_eq(json_get_string(push, "cmd", ""), "endpoints");
    ck_assert_int_eq(json_get_int(json_get_object(push, "args"), "generation", 0), 42);
    ck_assert(endpoints_acknowledged(supervisor.endpoints, 42));
    json_object_put(push);
}
END_TEST

START_TEST(who_does_not_read_is_cut_off)
{
    json_object_put(register_metricsd());
    for (int i = 0; i < 100000 && count_workers() > 0; i++) {
        worker_of("app")->slot->restarts_by[RESTART_CRASH]++;
        metricsd_feed_push(supervisor.feed);
        uv_run(&test_loop, UV_RUN_NOWAIT);
    }
    ck_assert_uint_eq(count_workers(), 0);
    metricsd_feed_push(supervisor.feed); // to nobody
}
END_TEST

static bool has_ended(void *context)
{
    char byte;
    (void)context;
    return recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

START_TEST(another_document_is_told_by_a_new_connection)
{
    json_object_put(register_metricsd());
    read_apps(document); // reads the same: nothing is new
    metricsd_feed_push(supervisor.feed);
    ck_assert_uint_eq(count_workers(), 1);
    read_apps("{" APPS "," GATEWAY "}");
    metricsd_feed_push(supervisor.feed);
    ck_assert_uint_eq(count_workers(), 0);
    loop_test_wait(has_ended, NULL);
}
END_TEST

// --- event --------------------------------------------------------------------------------------

static const struct event_row {
    const char *args, *logged;
} events[] = {
    {"{\"source\":\"redis\",\"name\":\"connect\",\"text\":\"127.0.0.1:6379\"}",
     "cachesvc: redis connect: 127.0.0.1:6379\n"},
    {"{\"source\":\"redis\",\"name\":\"close\"}", "cachesvc: redis close\n"},
    {"{\"source\":\"re\\ndis\",\"name\":\"\\u001b[m\",\"text\":\"a\\nb\\u009bc\\t\"}",
     "cachesvc: re?dis ?[m: a?b??c\n"},
    {"{\"source\":\"redis.of.a.name.that.is.too.long.for.it\",\"name\":\"error\"}",
     "cachesvc: redis.of.a.name.that.is.too.lon error\n"},
};

START_TEST(an_event_is_a_line_of_the_log)
{
    become("cachesvc");
    char *line = mem_printf("{\"cmd\":\"event\",\"args\":%s}\n", events[_i].args);
    say(line);
    free(line);
    ck_assert_str_eq(read_log(), events[_i].logged);
}
END_TEST

static struct json_object *ask_events(const char *args)
{
    struct json_object *answer;
    char *line = mem_printf("{\"id\":5,\"cmd\":\"events\",\"args\":%s}\n", args);
    say(line);
    free(line);
    answer = hear();
    ck_assert(json_get_bool(answer, "ok", false));
    return answer;
}

static void note(unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        events_note_app(supervisor.apps, "test", "number", "%u\n", i);
}

static void expect_number(struct json_object *event, unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u?", number); // the newline is somebody's, and is made safe
    ck_assert_str_eq(json_get_string(event, "text", ""), text);
    ck_assert_str_eq(json_get_string(event, "app", ""), "app");
    ck_assert_str_eq(json_get_string(event, "source", ""), "test");
    ck_assert_str_eq(json_get_string(event, "name", ""), "number");
    ck_assert(!json_object_object_get_ex(event, "id", NULL));
    ck_assert_int_gt(json_get_int(event, "time_ms", 0), 0);
}

static const struct lines_row {
    const char *args;
    size_t count;
} lines[] = {{"{\"lines\":3}", 3},     {"{\"lines\":0}", 0},       {"{\"lines\":-1}", 0},
             {"{\"lines\":60}", 60},   {"{\"lines\":100000}", 60}, {"{}", 50},
             {"{\"lines\":\"x\"}", 50}};

START_TEST(the_last_events)
{
    note(1, 60);
    struct json_object *answer = ask_events(lines[_i].args);
    struct json_object *events_told = json_get_array(answer, "events");
    ck_assert_uint_eq(json_object_array_length(events_told), lines[_i].count);
    for (size_t i = 0; i < lines[_i].count; i++)
        expect_number(json_object_array_get_idx(events_told, i),
                      (unsigned)(60 - lines[_i].count + 1 + i));
    json_object_put(answer);
}
END_TEST

START_TEST(who_follows_hears_each)
{
    note(1, 2);
    json_object_put(ask_events("{\"lines\":1,\"follow\":true}"));
    note(3, 4);
    for (unsigned i = 3; i <= 4; i++) {
        struct json_object *push = hear();
        ck_assert_str_eq(json_get_string(push, "cmd", ""), "event");
        expect_number(json_get_object(push, "args"), i);
        json_object_put(push);
    }
}
END_TEST

START_TEST(a_follower_that_does_not_read_is_cut_off)
{
    json_object_put(ask_events("{\"follow\":true}"));
    note(1, 100000);
    ck_assert_ptr_nonnull(strstr(raw_log(), "does not read, it is cut off"));
    note(1, 1); // to nobody
}
END_TEST

START_TEST(what_a_sidecar_tells_is_an_event)
{
    become("cachesvc");
    say("{\"cmd\":\"event\",\"args\":{\"source\":\"redis\",\"name\":\"close\",\"text\":\"x\"}}\n");
    read_log();
    struct json_object *list = events_list(supervisor.events, 1);
    struct json_object *event = json_object_array_get_idx(list, 0);
    ck_assert_str_eq(json_get_string(event, "source", ""), "redis");
    ck_assert_str_eq(json_get_string(event, "name", ""), "close");
    ck_assert_str_eq(json_get_string(event, "text", ""), "x");
    ck_assert_str_eq(json_get_string(event, "app", ""), "cachesvc");
    ck_assert_int_eq(json_get_int(event, "id", -1), 1);
    json_object_put(list);
}
END_TEST

START_TEST(a_long_text_is_cut)
{
    char expected[400], text[300];
    memset(text, 'x', sizeof text);
    become("cachesvc");
    char *line = mem_printf(
        "{\"cmd\":\"event\",\"args\":{\"source\":\"a\",\"name\":\"b\",\"text\":\"%.*s\"}}\n", 300,
        text);
    say(line);
    free(line);
    snprintf(expected, sizeof expected, "cachesvc: a b: %.*s\n", 255, text);
    ck_assert_str_eq(read_log(), expected);
}
END_TEST

static const char *const halves[] = {"{\"source\":\"redis\"}", "{\"name\":\"connect\"}", "{}",
                                     "{\"source\":{},\"name\":1}"};

START_TEST(half_an_event_is_none)
{
    become("cachesvc");
    char *line = mem_printf("{\"cmd\":\"event\",\"args\":%s}\n", halves[_i]);
    char *expected =
        mem_printf("control: pid %d: an event without source or name\n", (int)getpid());
    say(line);
    ck_assert_str_eq(read_log(), expected);
    free(line);
    free(expected);
}
END_TEST

START_TEST(only_workers_have_events)
{
    become("app");
    say("{\"id\":1,\"cmd\":\"event\",\"args\":{\"source\":\"redis\",\"name\":\"connect\"}}\n");
    struct json_object *answer = hear();
    ck_assert_str_eq(json_get_string(answer, "error", ""), "not allowed");
    ck_assert_ptr_null(strstr(read_log(), "redis"));
    json_object_put(answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("commands");
    TCase *tests = tcase_create("commands");
    tcase_set_timeout(tests, 30); // some fill a socket
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_cache_gets_the_document);
    tcase_add_loop_test(tests, nobody_is_what_it_is_not, 0,
                        (int)(sizeof(refusals) / sizeof(refusals[0])));
    tcase_add_test(tests, a_column_is_noted_before_it_is_given);
    tcase_add_test(tests, without_a_column_it_is_refused);
    tcase_add_test(tests, metricsd_hears_of_all);
    tcase_add_test(tests, what_changes_is_pushed_once);
    tcase_add_test(tests, endpoint_sets_are_pushed_and_nobody_waits);
    tcase_add_test(tests, who_does_not_read_is_cut_off);
    tcase_add_test(tests, another_document_is_told_by_a_new_connection);
    tcase_add_loop_test(tests, an_event_is_a_line_of_the_log, 0,
                        (int)(sizeof(events) / sizeof(events[0])));
    tcase_add_loop_test(tests, the_last_events, 0, (int)(sizeof(lines) / sizeof(lines[0])));
    tcase_add_test(tests, who_follows_hears_each);
    tcase_add_test(tests, a_follower_that_does_not_read_is_cut_off);
    tcase_add_test(tests, what_a_sidecar_tells_is_an_event);
    tcase_add_test(tests, a_long_text_is_cut);
    tcase_add_loop_test(tests, half_an_event_is_none, 0, (int)(sizeof(halves) / sizeof(halves[0])));
    tcase_add_test(tests, only_workers_have_events);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
