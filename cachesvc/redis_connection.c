// The adapter: a poll handle, which outlives its context since libuv wants the memory of a closing
// handle until its callback. The object is freed there.
//
// hiredis frees a context by itself when its connection ends, and tells the adapter by `cleanup`
// (the callbacks of all replies that are due have run before): that is where on_lost comes from.
#include "redis_connection.h"

#include <hiredis/async.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/mem.h"

struct redis_connection {
    uv_poll_t poll;
    int events;
    redisAsyncContext *context; // NULL: freed
    void (*on_lost)(void *owner, const char *reason);
    void *owner;
    redis_reply_fn *on_message;
    void *subscriber;
};

// --- the adapter --------------------------------------------------------------------------------

// Reading may free the context.
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct redis_connection *connection = poll->data;
    if (status < 0) {
        events = UV_READABLE | UV_WRITABLE; // hiredis asks the socket what is wrong
        connection->events = 0;             // libuv watches it no more
    }
    if (connection->context && events & UV_READABLE)
        redisAsyncHandleRead(connection->context);
    if (connection->context && events & UV_WRITABLE)
        redisAsyncHandleWrite(connection->context);
}

static void watch(struct redis_connection *connection, int events)
{
    if (connection->events == events)
        return;
    connection->events = events;
    if (events)
        uv_poll_start(&connection->poll, events, on_poll);
    else
        uv_poll_stop(&connection->poll);
}

static void on_add_read(void *data)
{
    struct redis_connection *connection = data;
    watch(connection, connection->events | UV_READABLE);
}

static void on_delete_read(void *data)
{
    struct redis_connection *connection = data;
    watch(connection, connection->events & ~UV_READABLE);
}

static void on_add_write(void *data)
{
    struct redis_connection *connection = data;
    watch(connection, connection->events | UV_WRITABLE);
}

static void on_delete_write(void *data)
{
    struct redis_connection *connection = data;
    watch(connection, connection->events & ~UV_WRITABLE);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_cleanup(void *data)
{
    struct redis_connection *connection = data;
    redisAsyncContext *context = connection->context;
    connection->context = NULL;
    uv_close((uv_handle_t *)&connection->poll, on_poll_closed);
    if (connection->on_lost)
        connection->on_lost(connection->owner, context->err ? context->errstr : "closed");
}

// --- life ---------------------------------------------------------------------------------------

static redisAsyncContext *connect_to(const struct redis_address *address, struct err *err)
{
    redisAsyncContext *context = address->port == 0
                                     ? redisAsyncConnectUnix(address->host)
                                     : redisAsyncConnect(address->host, address->port);
    if (context && !context->err)
        return context;
    err_set(err, "%s", context ? context->errstr : "out of memory");
    if (context)
        redisAsyncFree(context);
    return NULL;
}

struct redis_connection *redis_connection_open(uv_loop_t *loop, const struct redis_address *address,
                                               void (*on_lost)(void *context, const char *reason),
                                               void *context, struct err *err)
{
    redisAsyncContext *async = connect_to(address, err);
    if (!async)
        return NULL;
    struct redis_connection *connection = mem_zalloc(1, sizeof *connection);
    int result = uv_poll_init(loop, &connection->poll, async->c.fd);
    if (result != 0) {
        err_set(err, "%s", uv_strerror(result));
        redisAsyncFree(async);
        free(connection);
        return NULL;
    }
    connection->poll.data = connection;
    uv_unref((uv_handle_t *)&connection->poll);
    connection->context = async;
    connection->on_lost = on_lost;
    connection->owner = context;
    async->data = connection;
    async->ev.data = connection;
    async->ev.addRead = on_add_read;
    async->ev.delRead = on_delete_read;
    async->ev.addWrite = on_add_write;
    async->ev.delWrite = on_delete_write;
    async->ev.cleanup = on_cleanup;
    watch(connection, UV_WRITABLE); // that it is connected, or refused
    return connection;
}

// What has not arrived yet is not to arrive later, after what another connection brings.
static void drop_unsent(const redisAsyncContext *context)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(context->c.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void redis_connection_close(struct redis_connection *connection)
{
    if (!connection)
        return;
    connection->on_lost = NULL;
    if (!connection->context)
        return;
    drop_unsent(connection->context);
    redisAsyncFree(connection->context);
}

// --- commands -----------------------------------------------------------------------------------

struct call {
    redis_reply_fn *on_reply;
    void *context;
};

static void on_reply(redisAsyncContext *async, void *reply, void *data)
{
    struct call call = *(struct call *)data;
    (void)async;
    free(data);
    call.on_reply(call.context, reply);
}

static void on_message(redisAsyncContext *async, void *reply, void *data)
{
    struct redis_connection *connection = data;
    (void)async;
    if (reply)
        connection->on_message(connection->subscriber, reply);
}

static int send_words(struct redis_connection *connection, const struct redis_word *words,
                      size_t count, redisCallbackFn *callback, void *data)
{
    if (!connection->context)
        return REDIS_ERR;
    const char **texts = mem_alloc(count * sizeof *texts);
    size_t *lengths = mem_alloc(count * sizeof *lengths);
    for (size_t i = 0; i < count; ++i) {
        texts[i] = words[i].bytes;
        lengths[i] = words[i].length;
    }
    int result =
        redisAsyncCommandArgv(connection->context, callback, data, (int)count, texts, lengths);
    free(texts);
    free(lengths);
    return result;
}

void redis_connection_send(struct redis_connection *connection, const struct redis_word *words,
                           size_t count, redis_reply_fn *reply_to, void *context)
{
    struct call *call = NULL;
    if (reply_to) {
        call = mem_alloc(sizeof *call);
        *call = (struct call){reply_to, context};
    }
    int result = send_words(connection, words, count, call ? on_reply : NULL, call);
    if (result == REDIS_OK || !call)
        return;
    free(call);
    reply_to(context, NULL);
}

void redis_connection_subscribe(struct redis_connection *connection, const struct redis_word *words,
                                size_t count, redis_reply_fn *message_to, void *context)
{
    connection->on_message = message_to;
    connection->subscriber = context;
    (void)send_words(connection, words, count, on_message, connection); // on_lost tells the rest
}
