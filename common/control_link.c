// JSON lines over a libuv pipe that can carry descriptors (slot_take brings a socket).
//
//   CLOSED --timer--> CONNECTING --connected--> OPEN (register sent) --answer--> registered
//      ^                  |                       |
//      +------ closing ---+---- end or error -----+
//
// Each connection is an object of its own, since libuv wants the memory of a closing handle until
// its callback, while the link goes on.

#include "common/control_link.h"

#include <stdlib.h>
#include <string.h>

#include "common/backoff.h"
#include "common/buf.h"
#include "common/foreign_text.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/proto.h"

enum { REGISTER_ID = 1, ACKNOWLEDGE_ID = 2, READ_SIZE = 65536 };

static const struct backoff_policy reconnect = {
    .first_ms = 50, .limit_ms = 500, .factor_percent = 150};

struct connection {
    uv_pipe_t pipe;
    uv_connect_t connect;
    struct control_link *link; // NULL: closing
    bool is_open;              // register was sent
    struct buf input;
};

struct control_link {
    uv_loop_t *loop;
    char *path;
    const char *role;
    const struct control_link_handlers *handlers;
    void *context;
    struct connection *connection; // NULL: waiting for the timer
    uv_timer_t timer;
    struct backoff backoff;
};

struct outgoing {
    uv_write_t request;
    char *line;
};

static void try_connect(struct control_link *link);

// --- closing and coming back --------------------------------------------------------------------

static void on_connection_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    buf_free(&connection->input);
    free(connection);
}

static void connection_close(struct connection *connection)
{
    connection->link = NULL;
    uv_close((uv_handle_t *)&connection->pipe, on_connection_closed);
}

static void on_timer(uv_timer_t *timer)
{
    try_connect(timer->data);
}

static void disconnect(struct control_link *link, const char *reason)
{
    uint32_t delay_ms = backoff_next(&link->backoff, &reconnect);
    log_info("control: %s; next try in %u ms", reason, delay_ms);
    connection_close(link->connection);
    link->connection = NULL;
    uv_timer_start(&link->timer, on_timer, delay_ms, 0);
}

// --- sending ------------------------------------------------------------------------------------

static void on_sent(uv_write_t *request, int status)
{
    struct outgoing *outgoing = request->data;
    (void)status; // reading tells
    free(outgoing->line);
    free(outgoing);
}

static void send_line(struct connection *connection, char *line)
{
    struct outgoing *outgoing = mem_zalloc(1, sizeof(*outgoing));
    uv_buf_t piece = uv_buf_init(line, (unsigned)strlen(line));
    outgoing->line = line;
    outgoing->request.data = outgoing;
    int status = uv_write(&outgoing->request, (uv_stream_t *)&connection->pipe, &piece, 1, on_sent);
    if (status != 0)
        on_sent(&outgoing->request, status);
}

void control_link_acknowledge(struct control_link *link, uint64_t generation)
{
    if (link->connection != NULL)
        send_line(
            link->connection,
            mem_printf("{\"id\":%d,\"cmd\":\"endpoints_ack\",\"args\":{\"generation\":%llu}}\n",
                       ACKNOWLEDGE_ID, (unsigned long long)generation));
}

void control_link_event(struct control_link *link, const char *source, const char *name,
                        const char *text)
{
    char safe[PROTO_EVENT_SIZE];
    if (link->connection == NULL || !link->connection->is_open)
        return;
    foreign_text_copy(safe, sizeof(safe), text, strlen(text));
    struct json_object *args = json_object_new_object();
    json_object_object_add(args, "source", json_object_new_string(source));
    json_object_object_add(args, "name", json_object_new_string(name));
    json_object_object_add(args, "text", json_object_new_string(safe));
    send_line(link->connection,
              mem_printf("{\"cmd\":\"event\",\"args\":%s}\n",
                         json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN)));
    json_object_put(args);
}

// --- messages -----------------------------------------------------------------------------------

static int handle_answer(struct control_link *link, struct json_object *message, struct err *err)
{
    bool is_refused = !json_get_bool(message, "ok", false);
    const char *error = json_get_string(message, "error", "refused");
    // A verb that a supervisor of another version does not know is no reason to come again.
    if (json_get_int(message, "id", 0) != REGISTER_ID) {
        if (is_refused)
            log_warn("control: supervisor: %s", error);
        return 0;
    }
    if (is_refused)
        return err_set(err, "supervisor: %s", error);
    backoff_reset(&link->backoff);
    return link->handlers->on_registered(link->context, message, err);
}

static int handle_slot_take(struct control_link *link, struct json_object *args, struct err *err)
{
    const char *name = json_get_string(args, "name", NULL);
    if (name == NULL)
        return err_set(err, "slot_take: no name");
    return link->handlers->on_slot_take(link->context, name, &link->connection->pipe, err);
}

static int handle_slot_give(struct control_link *link, struct json_object *args, struct err *err)
{
    const char *name = json_get_string(args, "name", NULL);
    if (name == NULL)
        return err_set(err, "slot_give: no name");
    return link->handlers->on_slot_give(link->context, name, err);
}

static int handle_push(struct control_link *link, const char *command, struct json_object *args,
                       struct err *err)
{
    const struct control_link_handlers *handlers = link->handlers;
    if (handlers->on_endpoints != NULL && strcmp(command, "endpoints") == 0)
        return handlers->on_endpoints(link->context, args, err);
    if (handlers->on_slot_take != NULL && strcmp(command, "slot_take") == 0)
        return handle_slot_take(link, args, err);
    if (handlers->on_slot_give != NULL && strcmp(command, "slot_give") == 0)
        return handle_slot_give(link, args, err);
    if (handlers->on_processes != NULL && strcmp(command, "processes") == 0)
        return handlers->on_processes(link->context, args, err);
    log_warn("control: unknown push %s ignored", command);
    return 0;
}

static int handle_line(struct control_link *link, const char *line, size_t length, struct err *err)
{
    struct json_object *message = json_parse_message(line, length, err);
    if (message == NULL)
        return -1;
    const char *command = json_get_string(message, "cmd", NULL);
    int result = command == NULL
                     ? handle_answer(link, message, err)
                     : handle_push(link, command, json_get_object(message, "args"), err);
    json_object_put(message);
    return result;
}

// --- receiving ----------------------------------------------------------------------------------

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct connection *connection = handle->data;
    (void)suggested;
    *out = uv_buf_init(buf_reserve(&connection->input, READ_SIZE), READ_SIZE);
}

// A handler may have closed the link: then connection->link is NULL.
static void handle_lines(struct connection *connection)
{
    struct err err;
    char *line;
    size_t length;
    while (connection->link != NULL && buf_take_line(&connection->input, &line, &length))
        if (handle_line(connection->link, line, length, &err) != 0 && connection->link != NULL)
            disconnect(connection->link, err.text);
    if (connection->link != NULL && connection->input.length > PROTO_LINE_MAX)
        disconnect(connection->link, "line too long");
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *piece)
{
    struct connection *connection = stream->data;
    (void)piece;
    if (length < 0) {
        disconnect(connection->link, uv_strerror((int)length));
        return;
    }
    buf_commit(&connection->input, (size_t)length);
    handle_lines(connection);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct connection *connection = request->handle->data;
    if (connection->link == NULL)
        return; // closed meanwhile
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&connection->pipe, on_allocate, on_read);
    if (status != 0) {
        disconnect(connection->link, uv_strerror(status));
        return;
    }
    connection->is_open = true;
    send_line(connection,
              mem_printf("{\"id\":%d,\"cmd\":\"register\",\"args\":{\"role\":\"%s\","
                         "\"protocol\":%d,\"version\":\"%s\"}}\n",
                         REGISTER_ID, connection->link->role, PROTO_VERSION, GWCTL_VERSION));
}

static void try_connect(struct control_link *link)
{
    struct connection *connection = mem_zalloc(1, sizeof(*connection));
    connection->link = link;
    link->connection = connection;
    uv_pipe_init(link->loop, &connection->pipe, 1);
    connection->pipe.data = connection;
    uv_pipe_connect(&connection->connect, &connection->pipe, link->path, on_connected);
}

// --- life ---------------------------------------------------------------------------------------

struct control_link *control_link_open(uv_loop_t *loop, const char *path, const char *role,
                                       const struct control_link_handlers *handlers, void *context)
{
    struct control_link *link = mem_zalloc(1, sizeof(*link));
    link->loop = loop;
    link->path = mem_strdup(path);
    link->role = role;
    link->handlers = handlers;
    link->context = context;
    uv_timer_init(loop, &link->timer);
    link->timer.data = link;
    try_connect(link);
    return link;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct control_link *link = handle->data;
    free(link->path);
    free(link);
}

void control_link_close(struct control_link *link)
{
    if (link == NULL)
        return;
    if (link->connection != NULL)
        connection_close(link->connection);
    link->connection = NULL;
    uv_close((uv_handle_t *)&link->timer, on_timer_closed);
}
