// Spawns through gw-exec and ties together what belongs to one child: the process handle, two
// captures, and the status pipe on which gw-exec says that it could not execute the program (its
// end without a word: the program runs).

#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture.h"
#include "common/buf.h"
#include "common/mem.h"
#include "common/procinfo.h"
#include "file_limit.h"
#include "launcher.h"
#include "log_format.h"
#include "node_ipc.h"

enum { KEEPER_PATIENCE_MS = 200 };

struct process {
    uv_process_t handle;
    uv_pipe_t status;
    unsigned open_handles;
    // pidfd becomes readable at its end. An adopted one is not our child: the keeper tells more if
    // it has reaped it; gw-exec has long said what it had to say.
    bool adopted;
    bool ended;
    bool dumped; // our child has left a core dump: libuv does not tell
    int pidfd;   // -1: it had ended before
    uv_poll_t end;
    uv_timer_t patience; // with the keeper's report
    struct process_identity identity;
    const struct process_events *events;
    void *context;
    struct capture *out;
    struct capture *error;
    struct node_ipc *node; // NULL: it has no channel
    struct buf said;       // on the status pipe
    bool status_ended;
    char chunk[256];
};

struct pipes {
    int out[2], error[2], status[2], node[2]; // {our end, the child's}; -1: not open
};

// --- end ----------------------------------------------------------------------------------------

static void on_closed(uv_handle_t *handle)
{
    struct process *process = handle->data;
    if (--process->open_handles > 0)
        return;
    buf_free(&process->said);
    free(process);
}

static void release(struct process *process)
{
    capture_close(process->out);
    capture_close(process->error);
    node_ipc_close(process->node);
    if (process->adopted)
        uv_close((uv_handle_t *)&process->patience, on_closed);
    else
        uv_close((uv_handle_t *)&process->handle, on_closed);
    if (process->pidfd >= 0) {
        uv_close((uv_handle_t *)&process->end, on_closed);
        close(process->pidfd);
    }
    uv_close((uv_handle_t *)&process->status, on_closed);
}

// What gw-exec wrote may still be in the pipe when its exit is reported.
static void drain_status(struct process *process)
{
    uv_os_fd_t fd;
    ssize_t count;
    if (process->status_ended || uv_fileno((uv_handle_t *)&process->status, &fd) != 0)
        return;
    while ((count = read(fd, process->chunk, sizeof process->chunk)) > 0)
        buf_append(&process->said, process->chunk, (size_t)count);
}

static void report_end(struct process *process, int status)
{
    if (process->out)
        capture_drain_now(process->out);
    if (process->error)
        capture_drain_now(process->error);
    process->events->on_exit(process->context, status);
    release(process);
}

static void on_child_exit(uv_process_t *handle, int64_t code, int signal)
{
    drain_status(handle->data);
    const struct process *process = handle->data;
    int killed = signal | (process->dumped ? WCOREFLAG : 0);
    report_end(handle->data, signal ? killed : (int)code << 8);
}

// Before libuv reaps it: signals, by which it learns of exits, are what it handles last in a turn.
static void on_child_end(uv_poll_t *poll, int status, int events)
{
    struct process *process = poll->data;
    siginfo_t how = {0};
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    if (waitid(P_PIDFD, (id_t)process->pidfd, &how, WEXITED | WNOHANG | WNOWAIT) == 0)
        process->dumped = how.si_code == CLD_DUMPED;
}

static void watch_child(uv_loop_t *loop, struct process *process)
{
    process->pidfd = pidfd_open(process->identity.pid, 0);
    if (process->pidfd == -1)
        return;
    process->end.data = process;
    uv_poll_init(loop, &process->end, process->pidfd);
    uv_poll_start(&process->end, UV_READABLE, on_child_end);
    process->open_handles++;
}

bool process_is_adopted(const struct process *process)
{
    return process->adopted;
}

void process_reaped(struct process *process, int status)
{
    report_end(process, status);
}

static void on_patience_over(uv_timer_t *timer)
{
    report_end(timer->data, PROCESS_STATUS_UNKNOWN);
}

static void lose(struct process *process)
{
    process->ended = true;
    uv_timer_start(&process->patience, on_patience_over, KEEPER_PATIENCE_MS, 0);
}

static void on_adopted_end(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    lose(poll->data);
}

// The pid may be somebody else's by now, also between any two looks: so first the pidfd, which
// stays with one process, then whose it is.
static void watch_end(uv_loop_t *loop, struct process *process)
{
    process->pidfd = pidfd_open(process->identity.pid, 0);
    if (process->pidfd >= 0 &&
        !procinfo_lives(process->identity.pid, process->identity.start_ticks)) {
        close(process->pidfd);
        process->pidfd = -1;
    }
    uv_timer_init(loop, &process->patience);
    process->patience.data = process->end.data = process;
    process->open_handles++;
    if (process->pidfd == -1) {
        lose(process);
        return;
    }
    uv_poll_init(loop, &process->end, process->pidfd);
    uv_poll_start(&process->end, UV_READABLE, on_adopted_end);
    process->open_handles++;
}

// --- status pipe --------------------------------------------------------------------------------

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct process *process = handle->data;
    (void)suggested;
    *out = uv_buf_init(process->chunk, sizeof process->chunk);
}

static void on_status(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct process *process = stream->data;
    if (count > 0) {
        buf_append(&process->said, bytes->base, (size_t)count);
    } else if (count < 0) {
        process->status_ended = true;
        uv_read_stop(stream);
        if (process->said.length == 0)
            process->events->on_executed(process->context);
    }
}

const char *process_start_error(const struct process *process)
{
    if (process->said.length == 0)
        return NULL;
    char *text = buf_text((struct buf *)&process->said);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

// --- start --------------------------------------------------------------------------------------

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pipes(struct pipes *pipes)
{
    int *all[] = {pipes->out, pipes->error, pipes->status, pipes->node};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        close_fd(&all[i][0]);
        close_fd(&all[i][1]);
    }
}

static int open_pipes(struct pipes *pipes, bool node_channel, struct err *err)
{
    *pipes = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(pipes->out, O_CLOEXEC) == 0 && pipe2(pipes->error, O_CLOEXEC) == 0 &&
        pipe2(pipes->status, O_CLOEXEC) == 0 &&
        (!node_channel || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipes->node) == 0))
        return 0;
    file_limit_error(err);
    err_prefix(err, "pipe");
    close_pipes(pipes);
    return -1;
}

static struct capture *capture(uv_loop_t *loop, int *fd, const char *path,
                               const struct process_options *options, struct process *process,
                               struct err *err)
{
    struct log_format format = *options->format;
    format.error = path == options->error_path;
    struct capture_options to = {.label = options->label,
                                 .path = path,
                                 .combined_path = options->combined_path,
                                 .rotation = options->rotation,
                                 .format = &format,
                                 .on_line = process->events->on_line,
                                 .on_lost = process->events->on_lost,
                                 .context = process->context};
    int taken = *fd;
    *fd = -1;
    return capture_open(loop, taken, &to, err);
}

// The child's fds: 0 to 2, the handed down ones, the node channel, the status pipe.
static size_t status_fd_number(const struct process_options *options)
{
    return 3 + options->fd_count + options->node_channel;
}

static int spawn(uv_loop_t *loop, struct process *process, const struct process_options *options,
                 const struct pipes *pipes, struct err *err)
{
    uv_stdio_container_t stdio[5 + PROCESS_FDS_MAX] = {0};
    struct procinfo info;
    size_t first, status_fd = status_fd_number(options);
    char **env = launcher_env(options, &first);
    char **args = launcher_args(options, status_fd);

    stdio[0].flags = UV_IGNORE;
    stdio[1] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = pipes->out[1]};
    stdio[2] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = pipes->error[1]};
    for (size_t i = 0; i < options->fd_count; i++)
        stdio[3 + i] =
            (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = options->fds[i].fd};
    if (options->node_channel)
        stdio[status_fd - 1] =
            (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = pipes->node[1]};
    stdio[status_fd] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = pipes->status[1]};
    uv_process_options_t spawn_options = {
        .exit_cb = on_child_exit,
        .file = options->launcher,
        .args = args,
        .env = env,
        .flags = UV_PROCESS_DETACHED, // a session of its own
        .stdio = stdio,
        .stdio_count = (int)(status_fd + 1),
    };
    int result = uv_spawn(loop, &process->handle, &spawn_options);
    launcher_env_free(env, first);
    launcher_args_free(args);
    if (result != 0)
        return err_set(err, "%s: %s", options->launcher, uv_strerror(result));
    process->identity.pid = process->handle.pid;
    if (procinfo_read(process->identity.pid, &info) == 0)
        process->identity.start_ticks = info.start_ticks;
    return 0;
}

static void open_node(uv_loop_t *loop, struct process *process, int *fd)
{
    if (*fd >= 0)
        process->node = node_ipc_open(loop, *fd, process->events->on_node_ready, process->context);
    *fd = -1;
}

static int open_captures(uv_loop_t *loop, struct process *process,
                         const struct process_options *options, struct pipes *pipes,
                         struct err *err)
{
    process->out = capture(loop, &pipes->out[0], options->out_path, options, process, err);
    if (!process->out)
        return -1;
    process->error = capture(loop, &pipes->error[0], options->error_path, options, process, err);
    return process->error ? 0 : -1;
}

struct process *process_start(uv_loop_t *loop, const struct process_options *options,
                              const struct process_events *events, void *context, struct err *err)
{
    struct pipes pipes;
    if (open_pipes(&pipes, options->node_channel, err) == -1)
        return NULL;
    struct process *process = mem_zalloc(1, sizeof *process);
    process->events = events;
    process->context = context;
    process->handle.data = process->status.data = process;
    process->pidfd = -1;
    if (open_captures(loop, process, options, &pipes, err) == -1) {
        close_pipes(&pipes);
        capture_close(process->out);
        free(process);
        return NULL;
    }
    uv_pipe_init(loop, &process->status, 0);
    process->status.data = process;
    process->open_handles = 2;
    open_node(loop, process, &pipes.node[0]);
    events->on_opened(context, process);
    int started = spawn(loop, process, options, &pipes, err);
    uv_pipe_open(&process->status, pipes.status[0]);
    pipes.status[0] = -1;
    close_pipes(&pipes);
    process->handle.data = process;
    if (started == -1) {
        release(process);
        return NULL;
    }
    watch_child(loop, process);
    uv_read_start((uv_stream_t *)&process->status, on_allocate, on_status);
    return process;
}

static int adopt_captures(uv_loop_t *loop, struct process *process, int fds[PROCESS_STREAMS],
                          const struct process_options *options, struct err *err)
{
    if (fds[PROCESS_OUT] >= 0) {
        process->out = capture(loop, &fds[PROCESS_OUT], options->out_path, options, process, err);
        if (!process->out)
            return -1;
    }
    if (fds[PROCESS_ERROR] >= 0) {
        process->error =
            capture(loop, &fds[PROCESS_ERROR], options->error_path, options, process, err);
        if (!process->error)
            return -1;
    }
    return 0;
}

struct process *process_adopt(uv_loop_t *loop, struct process_identity identity,
                              const int fds[PROCESS_STREAMS], const struct process_options *options,
                              const struct process_events *events, void *context, struct err *err)
{
    struct process *process = mem_zalloc(1, sizeof *process);
    int own[PROCESS_STREAMS];

    memcpy(own, fds, sizeof own);
    process->events = events;
    process->context = context;
    process->identity = identity;
    process->adopted = process->status_ended = true;
    process->open_handles = 1;
    uv_pipe_init(loop, &process->status, 0);
    process->status.data = process;
    watch_end(loop, process);
    int result = adopt_captures(loop, process, own, options, err);
    open_node(loop, process, &own[PROCESS_NODE_CHANNEL]);
    for (size_t i = 0; i < PROCESS_STREAMS; i++)
        close_fd(&own[i]);
    if (result == 0)
        return process;
    release(process);
    return NULL;
}

int process_stream_fd(const struct process *process, enum process_stream stream)
{
    if (stream == PROCESS_NODE_CHANNEL)
        return process->node ? node_ipc_fd(process->node) : -1;
    const struct capture *capture = stream == PROCESS_ERROR ? process->error : process->out;
    return capture ? capture_fd(capture) : -1;
}

void process_put_down(struct process *process)
{
    if (process->out)
        capture_put_down(process->out);
    if (process->error)
        capture_put_down(process->error);
}

// --- the running process ------------------------------------------------------------------------

struct process_identity process_identity(const struct process *process)
{
    return process->identity;
}

// The stream whose last lines tell most; NULL: none said anything.
static const struct capture *telling_stream(const struct process *process)
{
    if (process->error && *capture_last_line(process->error, 0))
        return process->error;
    return process->out && *capture_last_line(process->out, 0) ? process->out : NULL;
}

const char *process_last_line(const struct process *process)
{
    const struct capture *stream = telling_stream(process);
    return stream ? capture_last_line(stream, 0) : "";
}

void process_last_lines(const struct process *process, char *out, size_t size)
{
    const struct capture *stream = telling_stream(process);
    size_t room = size - 1, used = 0;
    unsigned count = 0;

    *out = '\0';
    while (stream && count < CAPTURE_LAST_LINES) {
        size_t length = strlen(capture_last_line(stream, count));
        if (length == 0 || length + 1 > room)
            break;
        room -= length + 1;
        count++;
    }
    while (count-- > 0)
        used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? "\n" : "",
                                 capture_last_line(stream, count));
}

void process_signal(struct process *process, int signal)
{
    // libuv alone reaps our children, so their pids are theirs; an adopted one's may be taken.
    if (!process->ended)
        kill(-process->identity.pid, signal);
}
