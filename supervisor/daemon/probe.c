// One try of a readiness probe.
//
// Not its job: to try again, or to say what the verdict means.
//
// The invariant: on_done is called once, or never after probe_cancel; and the object stays until
// its last handle is closed. The process of a command is waited for even after the verdict, so that
// no zombie is left: its handle is closed by its exit only.

#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { ANSWER_SIZE = 64, REASON_SIZE = 96 };

struct probe {
    uv_timer_t timer;
    uv_tcp_t tcp;         // http, tcp
    uv_process_t process; // exec
    bool has_tcp, process_runs;
    bool done;
    unsigned open_handles;
    enum probe_kind kind;
    probe_fn on_done;
    void *context;
    uv_connect_t connect;
    uv_write_t write;
    char *request;
    char answer[ANSWER_SIZE]; // the status line's beginning, NUL-terminated
    size_t answered;
    char reason[REASON_SIZE];
};

// --- end ----------------------------------------------------------------------------------------

static void on_closed(uv_handle_t *handle)
{
    struct probe *probe = handle->data;
    if (--probe->open_handles > 0)
        return;
    free(probe->request);
    free(probe);
}

static void release(struct probe *probe)
{
    probe->done = true;
    uv_close((uv_handle_t *)&probe->timer, on_closed);
    if (probe->has_tcp)
        uv_close((uv_handle_t *)&probe->tcp, on_closed);
    if (probe->process_runs)
        uv_kill(-probe->process.pid, SIGKILL); // the whole group
}

// `reason` NULL: it worked.
static void finish(struct probe *probe, const char *reason)
{
    if (probe->done)
        return;
    release(probe);
    probe->on_done(probe->context, !reason, reason);
}

static void on_timeout(uv_timer_t *timer)
{
    finish(timer->data, "timeout");
}

static void on_failed_start(uv_timer_t *timer)
{
    struct probe *probe = timer->data;
    finish(probe, probe->reason);
}

// It cannot even begin; the caller hears of it from the loop.
static void fail_later(struct probe *probe, const char *reason)
{
    snprintf(probe->reason, sizeof probe->reason, "%s", reason);
    uv_timer_start(&probe->timer, on_failed_start, 0, 0);
}

// --- http ---------------------------------------------------------------------------------------

// "HTTP/1.x NNN ": 0 when it is not there yet, -1 when it is something else.
static int status_of(const char *answer, size_t length)
{
    static const char form[] = "HTTP/1.d ddd";
    for (size_t i = 0; i < sizeof form - 1; ++i) {
        if (i == length)
            return 0;
        if (form[i] == 'd' ? answer[i] < '0' || answer[i] > '9' : answer[i] != form[i])
            return -1;
    }
    if (length == sizeof form - 1)
        return 0;
    return memchr(" \r\n", answer[sizeof form - 1], 3) ? atoi(answer + 9) : -1;
}

static void judge_answer(struct probe *probe)
{
    int status = status_of(probe->answer, probe->answered);
    if (status == 0)
        return;
    if (status >= 200 && status <= 399) {
        finish(probe, NULL);
        return;
    }
    if (status < 0)
        snprintf(probe->reason, sizeof probe->reason, "not an HTTP answer");
    else
        snprintf(probe->reason, sizeof probe->reason, "HTTP %d", status);
    finish(probe, probe->reason);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct probe *probe = handle->data;
    (void)suggested;
    *out =
        uv_buf_init(probe->answer + probe->answered, (unsigned)(ANSWER_SIZE - 1 - probe->answered));
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    struct probe *probe = stream->data;
    (void)bytes;
    if (length == UV_EOF) {
        finish(probe, "closed without an answer");
    } else if (length < 0) {
        finish(probe, uv_strerror((int)length));
    } else {
        probe->answered += (size_t)length;
        judge_answer(probe);
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct probe *probe = write->data;
    if (status < 0 && status != UV_ECANCELED)
        finish(probe, uv_strerror(status));
}

static void send_request(struct probe *probe)
{
    uv_stream_t *stream = (uv_stream_t *)&probe->tcp;
    uv_buf_t bytes = uv_buf_init(probe->request, (unsigned)strlen(probe->request));
    int result = uv_read_start(stream, on_allocate, on_read);

    probe->write.data = probe;
    if (result == 0)
        result = uv_write(&probe->write, stream, &bytes, 1, on_written);
    if (result != 0)
        finish(probe, uv_strerror(result));
}

// --- tcp ----------------------------------------------------------------------------------------

static void on_connected(uv_connect_t *connect, int status)
{
    struct probe *probe = connect->data;
    if (status < 0) // cancelled ones come here too, and finish knows
        finish(probe, uv_strerror(status));
    else if (probe->kind == PROBE_TCP)
        finish(probe, NULL);
    else
        send_request(probe);
}

static int connect_to(uv_loop_t *loop, struct probe *probe, const struct probe_options *options)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    int result;

    if (uv_ip4_addr(options->host, options->port, &address.v4) != 0 &&
        (result = uv_ip6_addr(options->host, options->port, &address.v6)) != 0)
        return result;
    if ((result = uv_tcp_init(loop, &probe->tcp)) != 0)
        return result;
    probe->has_tcp = true;
    probe->open_handles++;
    probe->tcp.data = probe->connect.data = probe;
    return uv_tcp_connect(&probe->connect, &probe->tcp, &address.any, on_connected);
}

static char *build_request(const struct probe_options *options)
{
    bool v6 = strchr(options->host, ':') != NULL;

    // HTTP/1.0: no interim answers, and the server closes the connection.
    return mem_printf("GET %s HTTP/1.0\r\nHost: %s%s%s:%d\r\nUser-Agent: gwctl\r\n"
                      "Accept: */*\r\nConnection: close\r\n\r\n",
                      options->path, v6 ? "[" : "", options->host, v6 ? "]" : "", options->port);
}

// --- exec ---------------------------------------------------------------------------------------

static void on_command_exit(uv_process_t *process, int64_t code, int signal)
{
    struct probe *probe = process->data;

    probe->process_runs = false;
    uv_close((uv_handle_t *)process, on_closed);
    if (signal != 0)
        snprintf(probe->reason, sizeof probe->reason, "killed by signal %d", signal);
    else
        snprintf(probe->reason, sizeof probe->reason, "exited %d", (int)code);
    finish(probe, code == 0 && signal == 0 ? NULL : probe->reason);
}

static int run_command(uv_loop_t *loop, struct probe *probe, const struct probe_options *options)
{
    char shell[] = "/bin/sh", flag[] = "-c";
    char *command = mem_strdup(options->command);
    char *args[] = {shell, flag, command, NULL};
    uv_process_options_t spawn = {
        .exit_cb = on_command_exit,
        .file = shell,
        .args = args,
        .env = options->env,
        .cwd = options->cwd,
        .flags = UV_PROCESS_DETACHED, // its own session, so that its children can be found
    };
    int result = uv_spawn(loop, &probe->process, &spawn);

    probe->process.data = probe;
    probe->open_handles++;
    probe->process_runs = result == 0;
    if (result != 0) // the handle exists all the same
        uv_close((uv_handle_t *)&probe->process, on_closed);
    free(command);
    return result;
}

// --- public -------------------------------------------------------------------------------------

static int begin(uv_loop_t *loop, struct probe *probe, const struct probe_options *options)
{
    switch (options->kind) {
    case PROBE_HTTP:
        probe->request = build_request(options);
        return connect_to(loop, probe, options);
    case PROBE_TCP:
        return connect_to(loop, probe, options);
    case PROBE_EXEC:
        return run_command(loop, probe, options);
    }
    return UV_EINVAL;
}

struct probe *probe_start(uv_loop_t *loop, const struct probe_options *options, probe_fn on_done,
                          void *context)
{
    struct probe *probe = mem_zalloc(1, sizeof *probe);
    int result;

    probe->kind = options->kind;
    probe->on_done = on_done;
    probe->context = context;
    uv_timer_init(loop, &probe->timer);
    probe->timer.data = probe;
    probe->open_handles = 1;
    uv_update_time(loop); // the loop's time may be old, and the deadline counts from now
    uv_timer_start(&probe->timer, on_timeout, options->timeout_ms, 0);
    if ((result = begin(loop, probe, options)) != 0)
        fail_later(probe, uv_strerror(result));
    return probe;
}

void probe_cancel(struct probe *probe)
{
    if (probe && !probe->done)
        release(probe);
}
