// One pipe, and the calls that wait for their replies in the order they were sent.
//
//   CLOSED --timer--> CONNECTING --connected--> OPEN --end, error--> CLOSED
//
// A call whose limit has passed stays in the row, since its reply may still come and must not be
// taken for the next one's.
#include "cache_link.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/backoff.h"
#include "common/log.h"
#include "common/mem.h"

enum {
    READ_SIZE = 65536,
    UNSENT_MAX = 8 << 20, // bytes that wait to be written; beyond that cachesvc is no help
    TELL_LIMIT_MS = 1000
};

static const struct backoff_policy reconnect = {
    .first_ms = 20, .limit_ms = 1000, .factor_percent = 150};

struct cache_call {
    struct cache_call *next;
    uint64_t deadline_ms;
    void (*on_reply)(void *context, bool replied, int64_t number); // NULL: nobody waits any more
    void *context;
};

// Of its own, since libuv wants the memory of a closing handle until its callback.
struct connection {
    uv_pipe_t pipe;
    uv_connect_t connect;
    struct cache_link *link; // NULL: closing
    redisReader *reader;
    bool is_open;
    struct cache_call *first, **end; // waiting, oldest first
};

struct cache_link {
    uv_loop_t *loop;
    const char *name;
    char *path;
    void (*on_open)(void *context);
    void *context;
    struct connection *connection; // NULL: waiting for the timer
    uv_timer_t retry;
    uv_timer_t limit; // of the calls; runs while some wait
    struct backoff backoff;
    unsigned late; // calls whose limit has passed and whose reply has not come
    bool was_lost; // said so in the log
    char input[READ_SIZE];
};

struct outgoing {
    uv_write_t request;
    char *text; // hiredis'
};

static void try_connect(struct cache_link *link);

// --- calls --------------------------------------------------------------------------------------

static void end_call(struct cache_call *call, bool replied, int64_t number)
{
    void (*on_reply)(void *context, bool replied, int64_t number) = call->on_reply;
    call->on_reply = NULL;
    if (on_reply)
        on_reply(call->context, replied, number);
}

void cache_call_cancel(struct cache_call *call)
{
    call->on_reply = NULL;
}

static void on_limit(uv_timer_t *timer);

static void watch_limits(struct cache_link *link)
{
    uint64_t now = uv_now(link->loop), next = UINT64_MAX;
    const struct cache_call *call = link->connection ? link->connection->first : NULL;
    for (; call; call = call->next) {
        if (call->deadline_ms < next)
            next = call->deadline_ms;
    }
    if (next == UINT64_MAX)
        uv_timer_stop(&link->limit);
    else
        uv_timer_start(&link->limit, on_limit, next > now ? next - now : 0, 0);
}

// --- closing and coming back --------------------------------------------------------------------

static void on_connection_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    redisReaderFree(connection->reader);
    free(connection);
}

static void connection_close(struct connection *connection)
{
    struct cache_call *call;
    connection->link = NULL;
    while ((call = connection->first) != NULL) {
        connection->first = call->next;
        end_call(call, false, 0);
        free(call);
    }
    uv_close((uv_handle_t *)&connection->pipe, on_connection_closed);
}

static void on_retry(uv_timer_t *timer)
{
    try_connect(timer->data);
}

static void disconnect(struct cache_link *link, const char *reason)
{
    struct connection *connection = link->connection;
    if (connection->is_open || !link->was_lost)
        log_warn("%s: %s; doing without it until it is back", link->name, reason);
    link->was_lost = true;
    link->connection = NULL;
    link->late = 0;
    uv_timer_stop(&link->limit);
    uv_timer_start(&link->retry, on_retry, backoff_next(&link->backoff, &reconnect), 0);
    connection_close(connection);
}

// --- replies ------------------------------------------------------------------------------------

static void take_reply(struct cache_link *link, const redisReply *reply)
{
    struct connection *connection = link->connection;
    struct cache_call *call = connection->first;
    if (!call)
        return;
    connection->first = call->next;
    if (!connection->first)
        connection->end = &connection->first;
    if (call->deadline_ms == UINT64_MAX && --link->late == 0)
        log_info("%s: cachesvc answers again", link->name);
    if (reply->type == REDIS_REPLY_ERROR)
        log_warn("%s: %s", link->name, reply->str);
    end_call(call, reply->type != REDIS_REPLY_ERROR,
             reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0);
    free(call);
}

static void take_replies(struct connection *connection)
{
    void *reply;
    while (connection->link) {
        if (redisReaderGetReply(connection->reader, &reply) != REDIS_OK) {
            disconnect(connection->link, "cachesvc replied nonsense");
            return;
        }
        if (!reply)
            break;
        take_reply(connection->link, reply);
        freeReplyObject(reply);
    }
    if (connection->link)
        watch_limits(connection->link);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct connection *connection = handle->data;
    (void)suggested;
    *out = uv_buf_init(connection->link->input, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *piece)
{
    struct connection *connection = stream->data;
    if (length < 0) {
        disconnect(connection->link, "cachesvc is gone");
        return;
    }
    redisReaderFeed(connection->reader, piece->base, (size_t)length);
    take_replies(connection);
}

// --- limits -------------------------------------------------------------------------------------

// A loop that had much else to do runs its timers before it reads: what came meanwhile is read
// here, or a busy worker would take cachesvc for stopped.
static void read_what_is_there(struct connection *connection)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&connection->pipe, &fd) != 0)
        return;
    ssize_t length = recv(fd, connection->link->input, READ_SIZE, MSG_DONTWAIT);
    if (length <= 0)
        return; // an end is on_read's
    redisReaderFeed(connection->reader, connection->link->input, (size_t)length);
    take_replies(connection);
}

static void on_limit(uv_timer_t *timer)
{
    struct cache_link *link = timer->data;
    struct connection *connection = link->connection;
    uint64_t now = uv_now(link->loop);
    if (connection)
        read_what_is_there(connection);
    // Who is told something may close the link, and what was read may be nonsense.
    struct cache_call *call = link->connection ? link->connection->first : NULL;
    for (; call; call = link->connection == connection ? call->next : NULL) {
        if (call->deadline_ms > now)
            continue;
        call->deadline_ms = UINT64_MAX;
        if (link->late++ == 0)
            log_warn("%s: cachesvc does not answer; doing without it", link->name);
        end_call(call, false, 0);
    }
    watch_limits(link);
}

// --- connecting ---------------------------------------------------------------------------------

static bool send_words(struct connection *connection, const struct span *words, size_t count);
static struct cache_call *add_call(struct cache_link *link, uint32_t limit_ms,
                                   void (*on_reply)(void *context, bool replied, int64_t number),
                                   void *context);

static void on_first_reply(void *context, bool replied, int64_t number)
{
    struct cache_link *link = context;
    (void)number;
    if (!replied)
        return;
    if (link->was_lost)
        log_info("%s: connected again", link->name);
    link->was_lost = false;
    link->connection->is_open = true;
    backoff_reset(&link->backoff);
    if (link->on_open)
        link->on_open(link->context);
}

// Who accepts on a socket that the supervisor holds is not there yet: the first reply tells.
static void on_connected(uv_connect_t *request, int status)
{
    static const struct span ping = {"PING", 4};
    struct connection *connection = request->handle->data;
    struct cache_link *link = connection->link;
    if (!link)
        return; // closed meanwhile
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&connection->pipe, on_allocate, on_read);
    if (status != 0)
        disconnect(link, uv_strerror(status));
    else if (send_words(connection, &ping, 1))
        add_call(link, UINT32_MAX, on_first_reply, link);
}

static void try_connect(struct cache_link *link)
{
    struct connection *connection = mem_zalloc(1, sizeof *connection);
    connection->link = link;
    connection->end = &connection->first;
    connection->reader = redisReaderCreate();
    link->connection = connection;
    uv_pipe_init(link->loop, &connection->pipe, 0);
    connection->pipe.data = connection;
    uv_pipe_connect(&connection->connect, &connection->pipe, link->path, on_connected);
}

// --- sending ------------------------------------------------------------------------------------

static void on_sent(uv_write_t *request, int status)
{
    struct outgoing *outgoing = request->data;
    (void)status; // reading tells
    redisFreeCommand(outgoing->text);
    free(outgoing);
}

static bool send_words(struct connection *connection, const struct span *words, size_t count)
{
    const char **texts = mem_alloc(count * sizeof *texts);
    size_t *lengths = mem_alloc(count * sizeof *lengths);
    struct outgoing *outgoing = mem_zalloc(1, sizeof *outgoing);
    for (size_t i = 0; i < count; i++) {
        texts[i] = words[i].bytes;
        lengths[i] = words[i].length;
    }
    int length = redisFormatCommandArgv(&outgoing->text, (int)count, texts, lengths);
    free(texts);
    free(lengths);
    outgoing->request.data = outgoing;
    uv_buf_t piece = uv_buf_init(outgoing->text, length > 0 ? (unsigned)length : 0);
    if (length > 0 &&
        uv_write(&outgoing->request, (uv_stream_t *)&connection->pipe, &piece, 1, on_sent) == 0)
        return true;
    if (length > 0)
        redisFreeCommand(outgoing->text);
    free(outgoing);
    return false;
}

bool cache_link_is_of_use(const struct cache_link *link)
{
    return link->connection && link->connection->is_open && link->late == 0 &&
           uv_stream_get_write_queue_size((uv_stream_t *)&link->connection->pipe) < UNSENT_MAX;
}

static struct cache_call *add_call(struct cache_link *link, uint32_t limit_ms,
                                   void (*on_reply)(void *context, bool replied, int64_t number),
                                   void *context)
{
    struct cache_call *call = mem_zalloc(1, sizeof *call);
    uv_update_time(link->loop); // or a turn that began long ago would be taken off the limit
    call->deadline_ms = uv_now(link->loop) + limit_ms;
    call->on_reply = on_reply;
    call->context = context;
    *link->connection->end = call;
    link->connection->end = &call->next;
    watch_limits(link);
    return call;
}

struct cache_call *cache_link_call(struct cache_link *link, const struct span *words, size_t count,
                                   uint32_t limit_ms,
                                   void (*on_reply)(void *context, bool replied, int64_t number),
                                   void *context)
{
    if (!cache_link_is_of_use(link) || !send_words(link->connection, words, count))
        return NULL;
    return add_call(link, limit_ms, on_reply, context);
}

bool cache_link_tell(struct cache_link *link, const struct span *words, size_t count)
{
    return cache_link_call(link, words, count, TELL_LIMIT_MS, NULL, NULL) != NULL;
}

// --- life ---------------------------------------------------------------------------------------

struct cache_link *cache_link_open(uv_loop_t *loop, const char *name, const char *path,
                                   void (*on_open)(void *context), void *context)
{
    struct cache_link *link = mem_zalloc(1, sizeof *link);
    link->loop = loop;
    link->name = name;
    link->path = mem_strdup(path);
    link->on_open = on_open;
    link->context = context;
    uv_timer_init(loop, &link->retry);
    uv_timer_init(loop, &link->limit);
    link->retry.data = link->limit.data = link;
    try_connect(link);
    return link;
}

static void on_limit_closed(uv_handle_t *handle)
{
    struct cache_link *link = handle->data;
    free(link->path);
    free(link);
}

static void on_retry_closed(uv_handle_t *handle)
{
    struct cache_link *link = handle->data;
    uv_close((uv_handle_t *)&link->limit, on_limit_closed);
}

void cache_link_close(struct cache_link *link)
{
    if (!link)
        return;
    struct connection *connection = link->connection;
    link->connection = NULL;
    if (connection)
        connection_close(connection);
    uv_close((uv_handle_t *)&link->retry, on_retry_closed);
}
