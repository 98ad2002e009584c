// Connections.
//
//     OPEN --(its peer sends no more, the server stops)--> ENDING --(all answered)--> CLOSED
//       \--(QUIT, malformed input)--> LAST --(all sent)------------------------------^
//
//   OPEN    reads, executes, sends
//   ENDING  reads no more, executes what was read
//   LAST    executes no more, sends what there is
//
// Input is read into the server's buffer and executed from there; only what is no whole command, or
// has to wait, is copied to `input`. Replies are gathered in the server's `out` and written at the
// end of what was read. What the socket does not take then becomes `sending`, replies after it
// `unsent`. Executing pauses while these are more than UNSENT_PAUSE, and while the connection is
// blocked; reading does when input gathers meanwhile. A command that waits for Redis is parked, and
// so is what comes behind it.
#include "connection.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "mirror.h"
#include "parked.h"
#include "reply.h"
#include "server.h"

enum {
    FLUSH_OVER = 128 << 10, // replies are written at the latest when there are so many
    UNSENT_PAUSE = 1 << 20, // the client should read first
    UNSENT_MAX = (64 << 20) + UNSENT_PAUSE, // the largest value, where others wait already
    INPUT_PAUSE = READ_SIZE,                // what is read while nothing is executed
    BUFFER_KEPT = 1 << 20,                  // a larger one is given back when it is empty
};

enum state { OPEN, ENDING, LAST, CLOSED };

struct connection {
    uv_pipe_t pipe;
    struct server *server;
    enum state state;
    bool is_reading;
    struct session session;
    struct resp_parser parser;
    struct buf input, sending, unsent;
    uv_write_t write;
    struct waiter waiter;
    struct parked_row parked;
    struct job *job; // NULL: none
    struct connection *next_job;
};

static void execute_input(struct connection *connection);

struct connection *connection_of_waiter(struct waiter *waiter)
{
    return (struct connection *)((char *)waiter - offsetof(struct connection, waiter));
}

struct connection *connection_of_session(struct session *session)
{
    return (struct connection *)((char *)session - offsetof(struct connection, session));
}

static uv_stream_t *stream_of(struct connection *connection)
{
    return (uv_stream_t *)&connection->pipe;
}

// --- the end ------------------------------------------------------------------------------------

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    buf_free(&connection->input);
    buf_free(&connection->sending);
    buf_free(&connection->unsent);
    resp_fini(&connection->parser);
    free(connection);
}

static void join_jobs(struct connection *connection)
{
    struct connection **at = &connection->server->jobs;
    while (*at)
        at = &(*at)->next_job;
    *at = connection;
    connection->next_job = NULL;
}

static void leave_jobs(struct connection *connection)
{
    struct connection **at = &connection->server->jobs;
    while (*at && *at != connection)
        at = &(*at)->next_job;
    if (*at)
        *at = connection->next_job;
}

void connection_close(struct connection *connection)
{
    struct server *server = connection->server;
    if (connection->state == CLOSED)
        return;
    connection->state = CLOSED;
    waiters_remove(&server->service.waiters, &connection->waiter);
    leave_jobs(connection);
    job_free(connection->job);
    connection->job = NULL;
    parked_clear(&connection->parked);
    cache_release_locks(&server->service, &connection->session, clock_wall_ms());
    session_close(&connection->session, &server->service.sessions);
    uv_close((uv_handle_t *)&connection->pipe, on_closed);
}

static void close_for(struct connection *connection, const char *reason)
{
    if (connection->state == CLOSED)
        return;
    log_warn("client %llu: closed: %s", (unsigned long long)connection->session.id, reason);
    connection_close(connection);
}

// --- sending ------------------------------------------------------------------------------------

static size_t unsent_bytes(const struct connection *connection)
{
    if (connection->sending.length == 0)
        return 0;
    return uv_stream_get_write_queue_size((const uv_stream_t *)&connection->pipe) +
           connection->unsent.length;
}

static bool is_blocked(const struct connection *connection)
{
    return connection->waiter.lock || connection->job || connection->parked.count > 0;
}

// The first of those that are parked.
static bool may_run(const struct connection *connection)
{
    return (connection->state == OPEN || connection->state == ENDING) && !connection->waiter.lock &&
           !connection->job && unsent_bytes(connection) <= UNSENT_PAUSE;
}

// The next of what is read; it may have to be parked.
static bool may_execute(const struct connection *connection)
{
    return may_run(connection) && !parked_is_full(&connection->parked);
}

static void on_written(uv_write_t *write, int status);

static void send_more(struct connection *connection)
{
    uv_buf_t bytes = uv_buf_init(connection->sending.data, (unsigned)connection->sending.length);
    int result = uv_write(&connection->write, stream_of(connection), &bytes, 1, on_written);
    if (result != 0)
        connection_close(connection);
}

static void close_when_done(struct connection *connection)
{
    bool is_over =
        connection->state == LAST || (connection->state == ENDING && !is_blocked(connection));
    if (is_over && connection->sending.length == 0)
        connection_close(connection);
}

static void on_written(uv_write_t *write, int status)
{
    struct connection *connection = write->handle->data;
    buf_free(&connection->sending);
    if (status != 0) {
        connection_close(connection);
        return;
    }
    if (connection->unsent.length > 0) {
        connection->sending = connection->unsent;
        connection->unsent = (struct buf)BUF_INIT;
        send_more(connection);
    }
    execute_input(connection);
}

static void drop(struct buf *buf)
{
    buf_consume(buf, buf->length);
    if (buf->capacity > BUFFER_KEPT)
        buf_free(buf);
}

static void send_out(struct connection *connection)
{
    struct buf *out = &connection->server->out;
    uv_buf_t bytes = uv_buf_init(out->data, (unsigned)out->length);
    int written = uv_try_write(stream_of(connection), &bytes, 1);
    if (written < 0 && written != UV_EAGAIN) {
        connection_close(connection); // also its peer is gone
        return;
    }
    buf_consume(out, written > 0 ? (size_t)written : 0);
    if (out->length == 0)
        return;
    connection->sending = *out;
    *out = (struct buf)BUF_INIT;
    send_more(connection);
}

// Writes the replies in the server's buffer, or keeps what cannot be written now.
static void flush(struct connection *connection)
{
    struct buf *out = &connection->server->out;
    connection->server->service.bytes_out += out->length;
    if (out->length > 0 && connection->state != CLOSED) {
        if (connection->sending.length > 0)
            buf_append(&connection->unsent, out->data, out->length);
        else
            send_out(connection);
    }
    drop(out);
    drop(&connection->server->service.scratch);
    if (connection->state != CLOSED && unsent_bytes(connection) > UNSENT_MAX)
        close_for(connection, "it does not read its replies");
}

// --- executing ----------------------------------------------------------------------------------

static void block(struct connection *connection, const struct request *request)
{
    struct server *server = connection->server;
    if (request->after == AFTER_WAIT) {
        waiters_add(&server->service.waiters, &connection->waiter, request->wait_key.bytes,
                    request->wait_key.length, uv_now(server->loop) + request->wait_ms);
    } else {
        connection->job = request->job;
        join_jobs(connection);
    }
    server_on_blocked(server);
}

// NULL: it is nothing to Redis, or there is none.
static const struct command *mirrored_command(const struct connection *connection,
                                              const struct resp_arg *args, size_t count)
{
    return connection->server->service.mirror ? commands_match(args, count) : NULL;
}

static void run(struct connection *connection, const struct resp_arg *args, size_t count,
                uint64_t purged)
{
    struct server *server = connection->server;
    struct request request = {.service = &server->service,
                              .store = server->service.store,
                              .session = &connection->session,
                              .args = args,
                              .count = count,
                              .purged = purged,
                              .now_ms = connection->server->now_ms,
                              .out = &server->out};
    size_t before = server->out.length;
    commands_run(&request);
    if (mirrored_command(connection, args, count))
        mirror_after(server->service.mirror, request.command, args, count,
                     server->out.data + before, server->out.length - before);
    if (request.after == AFTER_CLOSE)
        connection->state = LAST;
    else if (request.after == AFTER_BREAK)
        close_for(connection, "the reply would be too large");
    else if (request.after != AFTER_NOTHING)
        block(connection, &request);
}

// --- commands that wait for Redis ---------------------------------------------------------------

// Reads are asked for while others wait: they change nothing.
static bool may_overlap(const struct command *command)
{
    return command && command->flags & COMMAND_READONLY;
}

static void on_ready(void *context, const struct mirror_answer *answer)
{
    struct parked *parked = context;
    struct connection *connection = parked->owner;
    parked_answer(parked, answer);
    execute_input(connection);
    server_answer_due(connection->server);
}

// What it needs of Redis that is not here; NULL: it can run. A read has to look again if keys were
// dropped since it was asked for: one of its keys may have been here then. It is not chased for
// ever: the second time Redis replies to it.
static struct mirror_wait *ask_for(struct connection *connection, struct parked *parked)
{
    struct mirror *mirror = connection->server->service.mirror;
    const struct command *command = mirrored_command(connection, parked->args, parked->count);
    bool has_asked = parked->state == PARKED_READY;
    if (!command || (has_asked && (parked->has_reply || parked->was_asked_again ||
                                   !may_overlap(command) || parked->drops == mirror_drops(mirror))))
        return NULL;
    parked->drops = mirror_drops(mirror);
    parked->was_asked_again = has_asked;
    return mirror_before(mirror, command, parked->args, parked->count, has_asked);
}

// Redis has replied. Of several keys that are read it may not have those that are here, when it has
// begun anew; and those that were just dropped here only it has.
static void pass_on(struct connection *connection, struct parked *parked)
{
    struct buf *out = &connection->server->out;
    struct reply_text theirs = {parked->reply.data, parked->reply.length};
    const struct command *command = mirrored_command(connection, parked->args, parked->count);
    size_t before = out->length;
    if (!may_overlap(command) || command->first == command->last) {
        buf_append(out, theirs.bytes, theirs.length);
        return;
    }
    run(connection, parked->args, parked->count, 0);
    struct buf merged = BUF_INIT;
    reply_merge(&merged, theirs, (struct reply_text){out->data + before, out->length - before});
    out->length = before;
    buf_append(out, merged.data, merged.length);
    buf_free(&merged);
}

static void run_parked(struct connection *connection)
{
    struct server *server = connection->server;
    struct parked *parked;
    while (may_run(connection) && (parked = parked_take(&connection->parked)) != NULL) {
        struct mirror_wait *wait = ask_for(connection, parked);
        if (wait) {
            parked_put_back(&connection->parked, parked, wait);
            mirror_on_ready(wait, on_ready, parked);
            return;
        }
        if (parked->has_reply)
            pass_on(connection, parked);
        else
            run(connection, parked->args, parked->count, parked->purged);
        parked_free(parked);
        if (server->out.length > FLUSH_OVER)
            flush(connection);
    }
}

static void execute(struct connection *connection)
{
    const struct resp_arg *args = connection->parser.args;
    size_t count = connection->parser.arg_count;
    struct mirror *mirror = connection->server->service.mirror;
    struct parked_row *row = &connection->parked;
    const struct command *command = mirrored_command(connection, args, count);
    if (row->count > 0 && !may_overlap(command)) {
        parked_add(row, connection, args, count, PARKED_HELD);
        return;
    }
    uint64_t drops = command ? mirror_drops(mirror) : 0;
    struct mirror_wait *wait = command ? mirror_before(mirror, command, args, count, false) : NULL;
    if (wait) {
        struct parked *parked = parked_add(row, connection, args, count, PARKED_WAITING);
        parked->wait = wait;
        parked->drops = drops;
        mirror_on_ready(wait, on_ready, parked);
    } else if (row->count > 0) {
        parked_add(row, connection, args, count, PARKED_READY)->drops = drops;
    } else {
        run(connection, args, count, 0);
    }
}

// --- executing ----------------------------------------------------------------------------------

static void refuse_input(struct connection *connection, const char *error)
{
    log_warn("client %llu: %s", (unsigned long long)connection->session.id, error);
    reply_error(&connection->server->out, "ERR %s", error);
    connection->state = LAST;
}

// Executes the commands in data; returns how much of it is done with.
static size_t execute_some(struct connection *connection, char *data, size_t length)
{
    struct server *server = connection->server;
    struct resp_parser *parser = &connection->parser;
    size_t at = 0;
    server->now_ms = clock_wall_ms();
    while (may_execute(connection)) {
        enum resp_result result = resp_parse(parser, data + at, length - at);
        if (result == RESP_ERROR && connection->parked.count > 0)
            break; // their replies come first
        if (result == RESP_COMMAND)
            execute(connection);
        at += parser->consumed;
        resp_next(parser);
        if (result == RESP_ERROR)
            refuse_input(connection, parser->error);
        if (result == RESP_MORE && length - at + resp_wanted(parser) > server->command_max &&
            connection->parked.count == 0)
            refuse_input(connection, "Protocol error: too large command");
        if (server->out.length > FLUSH_OVER)
            flush(connection);
        if (result != RESP_COMMAND)
            break;
    }
    return at;
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *bytes);
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes);

static void update_reading(struct connection *connection)
{
    if (connection->state == CLOSED)
        return;
    bool should_read = connection->state == OPEN &&
                       (may_execute(connection) ||
                        (is_blocked(connection) && connection->input.length < INPUT_PAUSE));
    if (should_read && !connection->is_reading)
        uv_read_start(stream_of(connection), on_allocate, on_read);
    else if (!should_read && connection->is_reading)
        uv_read_stop(stream_of(connection));
    connection->is_reading = should_read;
}

// Executes what may be executed now of what lies in `input`.
static void execute_input(struct connection *connection)
{
    connection->server->now_ms = clock_wall_ms();
    run_parked(connection);
    flush(connection);
    while (connection->input.length > 0 && may_execute(connection)) {
        size_t done = execute_some(connection, connection->input.data, connection->input.length);
        buf_consume(&connection->input, done);
        flush(connection);
        if (done == 0)
            break;
    }
    if (connection->input.length == 0)
        buf_free(&connection->input);
    close_when_done(connection);
    connection->session.is_blocked = is_blocked(connection);
    update_reading(connection);
}

// --- reading ------------------------------------------------------------------------------------

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *bytes)
{
    struct connection *connection = handle->data;
    (void)suggested;
    if (connection->input.length == 0) {
        *bytes = uv_buf_init(connection->server->input, READ_SIZE);
        return;
    }
    size_t size = resp_wanted(&connection->parser);
    if (size < READ_SIZE)
        size = READ_SIZE;
    *bytes = uv_buf_init(buf_reserve(&connection->input, size), (unsigned)size);
}

static void take(struct connection *connection, char *data, size_t length)
{
    if (connection->input.length > 0) {
        buf_commit(&connection->input, length);
        execute_input(connection);
        return;
    }
    size_t done = execute_some(connection, data, length);
    flush(connection);
    if (connection->state == CLOSED)
        return;
    if (done < length && connection->state != LAST)
        buf_append(&connection->input, data + done, length - done);
    close_when_done(connection);
    connection->session.is_blocked = is_blocked(connection);
    update_reading(connection);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct connection *connection = stream->data;
    struct server *server = connection->server;
    if (count == UV_EOF && !connection->waiter.lock) {
        connection_end(connection);
    } else if (count < 0) {
        connection_close(connection);
    } else if (count > 0) {
        server->service.bytes_in += (uint64_t)count;
        take(connection, bytes->base, (size_t)count);
    }
    server_answer_due(server);
}

// --- the rest -----------------------------------------------------------------------------------

void connection_end(struct connection *connection)
{
    if (connection->state == OPEN)
        connection->state = ENDING;
    execute_input(connection);
}

void connection_unblock(struct connection *connection)
{
    execute_input(connection);
}

void connection_step_job(struct connection *connection)
{
    struct server *server = connection->server;
    leave_jobs(connection);
    if (job_step(connection->job, server->service.store, clock_wall_ms())) {
        join_jobs(connection);
        return;
    }
    job_reply(connection->job, &server->out);
    job_free(connection->job);
    connection->job = NULL;
    connection_unblock(connection);
}

static void refuse(struct connection *connection)
{
    connection->server->service.rejected++;
    reply_error(&connection->server->out, "ERR max number of clients reached");
    connection->state = LAST;
    flush(connection);
    close_when_done(connection);
}

void connection_accept(struct server *server, uv_stream_t *listener)
{
    struct connection *connection = mem_zalloc(1, sizeof *connection);
    uv_os_fd_t fd = -1;
    connection->server = server;
    uv_pipe_init(server->loop, &connection->pipe, 0);
    connection->pipe.data = connection;
    resp_init(&connection->parser);
    connection->parser.limits.bulk_bytes = server->command_max;
    int result = uv_accept(listener, stream_of(connection));
    uv_fileno((uv_handle_t *)&connection->pipe, &fd);
    session_open(&connection->session, &server->service.sessions, fd, clock_wall_ms());
    server->service.connections++;
    if (result != 0)
        connection_close(connection);
    else if (server->service.sessions.count > server->clients_max)
        refuse(connection);
    else
        update_reading(connection);
}
