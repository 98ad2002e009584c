// Connections of control.sock on libuv. A connection is closed once: by its peer, by a line that is
// no message, or by the end of the daemon; whoever holds it is told by operations_forget and by
// worker->link becoming NULL.

#include "control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "commands.h"
#include "common/buf.h"
#include "common/home.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/proto.h"
#include "common/usock.h"
#include "operation.h"

enum {
    UNREAD_MAX = 4 << 20, // bytes that wait for a peer when there is more to say
    CLIENTS_MAX = 64,     // connections of others than our processes
    OF_WORKER_MAX = 4,    // connections of one of our processes
    SILENT_MS = 1000      // who has said nothing for so long may lose its place
};

struct control {
    struct daemon *daemon;
    uv_pipe_t listener;
    gid_t group; // HOME_NO_GROUP: none
    bool listener_closed;
    struct control_connection *connections;
};

struct control_connection {
    uv_pipe_t pipe;
    struct control *control;
    struct control_connection *next;
    struct worker *worker;
    pid_t pid;
    bool is_ours;      // of a process that we have started
    uint64_t heard_ms; // when it came, or sent its last line
    uint64_t acked;
    struct buf input;
    bool follows; // events
    bool closing;
};

struct outgoing {
    uv_write_t request;
    char *text;
};

static void on_closed(uv_handle_t *handle)
{
    struct control_connection *connection = handle->data;
    buf_free(&connection->input);
    free(connection);
}

static void unlink_connection(struct control_connection *connection)
{
    struct control_connection **at = &connection->control->connections;
    while (*at != connection)
        at = &(*at)->next;
    *at = connection->next;
}

// When the end has come, what was answered last may still be on its way to somebody who is slow to
// read: the listener is gone before its last connection then.
static void free_when_over(struct control *control)
{
    if (control->listener_closed && !control->connections)
        free(control);
}

static void close_connection(struct control_connection *connection)
{
    struct control *control = connection->control;
    if (connection->closing)
        return;
    connection->closing = true;
    unlink_connection(connection);
    operations_forget(control->daemon->operations, connection);
    if (connection->worker)
        connection->worker->link = NULL;
    connection->worker = NULL;
    uv_close((uv_handle_t *)&connection->pipe, on_closed);
    free_when_over(control);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct control_connection *connection = handle->data;
    (void)suggested;
    out->base = buf_reserve(&connection->input, 16384);
    out->len = 16384;
}

static void take_lines(struct control_connection *connection)
{
    struct err err;
    char *line;
    size_t length;

    while (!connection->closing && buf_take_line(&connection->input, &line, &length)) {
        struct json_object *message = json_parse_message(line, length, &err);
        if (!message) {
            log_warn("control: pid %d: %s", (int)connection->pid, err.text);
            close_connection(connection);
            return;
        }
        connection->heard_ms = uv_now(connection->pipe.loop);
        commands_handle(connection, message);
        json_object_put(message);
    }
    if (connection->input.length > PROTO_LINE_MAX) {
        log_warn("control: pid %d: line too long", (int)connection->pid);
        close_connection(connection);
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct control_connection *connection = stream->data;
    (void)bytes;
    if (count < 0) {
        close_connection(connection);
        return;
    }
    buf_commit(&connection->input, (size_t)count);
    take_lines(connection);
}

static bool peer_allowed(struct control_connection *connection)
{
    const struct control *control = connection->control;
    uv_os_fd_t fd;
    uid_t uid;
    struct err err;

    if (uv_fileno((uv_handle_t *)&connection->pipe, &fd) != 0 ||
        usock_peer(fd, &connection->pid, &uid, &err) == -1)
        return false;
    // A gateway worker may run under its own uid; it is known by its pid.
    connection->is_ours = daemon_find_pid(control->daemon, connection->pid) != NULL;
    return connection->is_ours || uid == getuid() || uid == 0 ||
           (control->group != HOME_NO_GROUP && usock_peer_has_group(fd, control->group));
}

// Who waits for an answer or for events is not.
static bool is_idle(const struct control_connection *connection)
{
    return !connection->follows &&
           !operations_for(connection->control->daemon->operations, connection) &&
           uv_now(connection->pipe.loop) - connection->heard_ms >= SILENT_MS;
}

// Makes room for one more client where there is none. False: all the others are busy.
static bool make_client_room(const struct control *control)
{
    struct control_connection *silent = NULL;
    size_t count = 0;
    for (struct control_connection *c = control->connections; c; c = c->next) {
        if (c->is_ours)
            continue;
        count++;
        if (is_idle(c) && (!silent || c->heard_ms < silent->heard_ms))
            silent = c;
    }
    if (count <= CLIENTS_MAX)
        return true;
    if (!silent)
        return false;
    log_warn("control: pid %d makes room: it asks nothing, and %d others are there",
             (int)silent->pid, CLIENTS_MAX);
    close_connection(silent);
    return true;
}

// With the new one counted.
static bool has_room(const struct control_connection *connection)
{
    size_t count = 0;
    if (!connection->is_ours)
        return make_client_room(connection->control);
    for (const struct control_connection *c = connection->control->connections; c; c = c->next)
        count += c->pid == connection->pid;
    return count <= OF_WORKER_MAX;
}

static void on_flushed(uv_shutdown_t *request, int status)
{
    (void)status;
    close_connection(request->data);
    free(request);
}

// What was said goes out first.
static void hang_up(struct control_connection *connection)
{
    uv_shutdown_t *request = mem_zalloc(1, sizeof *request);
    request->data = connection;
    if (uv_shutdown(request, (uv_stream_t *)&connection->pipe, on_flushed) != 0) {
        free(request);
        close_connection(connection);
    }
}

static void refuse_connection(struct control_connection *connection)
{
    log_warn("control: pid %d is refused: too many connections", (int)connection->pid);
    control_refuse(connection, 0, "the supervisor has too many clients; try again");
    hang_up(connection);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct control *control = listener->data;
    if (status < 0)
        return;
    struct control_connection *connection = mem_zalloc(1, sizeof *connection);
    connection->control = control;
    connection->heard_ms = uv_now(control->daemon->loop);
    uv_pipe_init(control->daemon->loop, &connection->pipe, 0);
    connection->pipe.data = connection;
    connection->next = control->connections;
    control->connections = connection;
    if (uv_accept(listener, (uv_stream_t *)&connection->pipe) != 0 || !peer_allowed(connection)) {
        log_warn("control: a connection of a foreign user was refused");
        close_connection(connection);
        return;
    }
    if (!has_room(connection)) {
        refuse_connection(connection);
        return;
    }
    uv_read_start((uv_stream_t *)&connection->pipe, on_allocate, on_read);
}

struct control *control_open(struct daemon *daemon, int fd, gid_t group)
{
    struct control *control = mem_zalloc(1, sizeof *control);
    control->daemon = daemon;
    control->group = group;
    uv_pipe_init(daemon->loop, &control->listener, 0);
    control->listener.data = control;
    uv_pipe_open(&control->listener, fd);
    uv_listen((uv_stream_t *)&control->listener, 128, on_connection);
    return control;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct control *control = handle->data;
    control->listener_closed = true;
    free_when_over(control);
}

void control_close(struct control *control)
{
    uv_close((uv_handle_t *)&control->listener, on_listener_closed);
    for (struct control_connection *c = control->connections, *next; c; c = next) {
        next = c->next;
        hang_up(c);
    }
}

void control_cut(struct control_connection *connection)
{
    close_connection(connection);
}

struct daemon *control_daemon(struct control_connection *connection)
{
    return connection->control->daemon;
}

pid_t control_peer_pid(const struct control_connection *connection)
{
    return connection->pid;
}

// --- messages -----------------------------------------------------------------------------------

static char *message_line(struct json_object *message)
{
    char *line =
        mem_printf("%s\n", json_object_to_json_string_ext(
                               message, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(message);
    return line;
}

static void on_written(uv_write_t *request, int status)
{
    struct outgoing *outgoing = (struct outgoing *)request;
    (void)status; // a broken connection is noticed by its read side
    free(outgoing->text);
    free(outgoing);
}

void control_send(struct control_connection *connection, struct json_object *message)
{
    uv_stream_t *stream = (uv_stream_t *)&connection->pipe;
    char *line = message_line(message);
    if (!connection->closing && uv_stream_get_write_queue_size(stream) > UNREAD_MAX) {
        log_warn("control: pid %d does not read, it is cut off", (int)connection->pid);
        close_connection(connection);
    }
    if (connection->closing) {
        free(line);
        return;
    }
    struct outgoing *outgoing = mem_zalloc(1, sizeof *outgoing);
    outgoing->text = line;
    uv_buf_t bytes = uv_buf_init(line, (unsigned)strlen(line));
    if (uv_write(&outgoing->request, stream, &bytes, 1, on_written) != 0)
        on_written(&outgoing->request, -1);
}

bool control_send_fd(struct control_connection *connection, struct json_object *message, int fd)
{
    uv_stream_t *stream = (uv_stream_t *)&connection->pipe;
    char *line = message_line(message);
    uv_os_fd_t socket;
    struct err err;
    bool sent = !connection->closing && uv_stream_get_write_queue_size(stream) == 0 &&
                uv_fileno((uv_handle_t *)stream, &socket) == 0 &&
                usock_send(socket, line, strlen(line), &fd, 1, &err) == 0;
    free(line);
    return sent;
}

void control_progress(struct control_connection *connection, int64_t id, const char *text)
{
    struct json_object *message = json_object_new_object();
    json_object_object_add(message, "id", json_object_new_int64(id));
    json_object_object_add(message, "progress", json_object_new_string(text));
    control_send(connection, message);
}

void control_answer(struct control_connection *connection, int64_t id, struct json_object *more)
{
    struct json_object *message = more ? more : json_object_new_object();
    json_object_object_add(message, "id", json_object_new_int64(id));
    json_object_object_add(message, "ok", json_object_new_boolean(1));
    control_send(connection, message);
}

void control_refuse(struct control_connection *connection, int64_t id, const char *error)
{
    struct json_object *message = json_object_new_object();
    json_object_object_add(message, "id", json_object_new_int64(id));
    json_object_object_add(message, "ok", json_object_new_boolean(0));
    json_object_object_add(message, "error", json_object_new_string(error));
    control_send(connection, message);
}

// --- workers ------------------------------------------------------------------------------------

void control_set_worker(struct control_connection *connection, struct worker *worker)
{
    if (worker && worker->link && worker->link != connection)
        close_connection(worker->link);
    connection->worker = worker;
    if (worker)
        worker->link = connection;
}

struct worker *control_worker(const struct control_connection *connection)
{
    return connection->worker;
}

uint64_t control_acked(const struct control_connection *connection)
{
    return connection->acked;
}

void control_set_acked(struct control_connection *connection, uint64_t generation)
{
    if (generation > connection->acked)
        connection->acked = generation;
}

void control_each_worker(struct control *control,
                         void (*visit)(struct control_connection *connection, void *context),
                         void *context)
{
    for (struct control_connection *c = control->connections; c; c = c->next) {
        if (c->worker)
            visit(c, context);
    }
}

// --- followers ----------------------------------------------------------------------------------

void control_follow(struct control_connection *connection)
{
    connection->follows = true;
}

void control_each_follower(struct control *control,
                           void (*visit)(struct control_connection *connection, void *context),
                           void *context)
{
    for (struct control_connection *c = control->connections; c; c = c->next) {
        if (c->follows)
            visit(c, context);
    }
}
