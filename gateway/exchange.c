// The life of one request: tries, waiting, giving up. Passing the answer on is relay.c's job, what
// is worth another try is decided in retry.c.
//
//   NEW (-> CACHE) -> CONNECTING -> WAITING -> READING -> STREAMING -> ANSWERED
//          ^  |             |          |           |
//          +--+-- retry ----+          |           +-> broken off: the client's connection ends
//             +-- give up --+----------+-> ANSWERED with 502, 503, 504
//
//   NEW -> PURGE -> ANSWERED
//
// There is one clock for all waiting: a tick every 100 ms compares a deadline, which progress moves
// on. So a request that takes less than 100 ms, as most do, costs one link and unlink and no timer,
// and a long one gets its watch for a client that hangs up at its first tick.
//
// Invariants: endpoint != NULL exactly while the exchange counts as in flight there; after a call
// that may answer, the exchange may be gone and is not touched.
#include "exchange.h"

#include "cached.h"
#include "clients.h"
#include "common/gateway_config.h"
#include "common/log.h"
#include "common/state_page.h"
#include "counters.h"
#include "endpoints.h"
#include "exchange_count.h"
#include "hangup.h"
#include "pool.h"
#include "reply.h"
#include "server.h"
#include "upstream_conn.h"

static void start_try(struct exchange *exchange, struct endpoint *endpoint, bool fresh);

static void wait_until(struct exchange *exchange, int64_t timeout_ms)
{
    exchange->deadline_ms = uv_now(exchange->server->loop) + (uint64_t)timeout_ms;
}

static void complain(struct exchange *exchange, const char *what)
{
    unsigned hidden;
    const char *upstream = exchange->upstream->config->name;
    const char *endpoint = exchange->endpoint == NULL ? "no endpoint" : exchange->endpoint->name;
    if (throttle_allows(&exchange->server->complaints, uv_now(exchange->server->loop), &hidden))
        log_warn("%s: %s: %s (%u more not logged)", upstream, endpoint, what, hidden);
}

// --- the end of a try ---------------------------------------------------------------------------

void exchange_release_upstream(struct exchange *exchange, bool is_reusable)
{
    struct upstream_conn *conn = exchange->conn;
    struct endpoint *endpoint = exchange->endpoint;
    exchange_count_over(exchange);
    exchange->conn = NULL;
    exchange->endpoint = NULL;
    if (conn != NULL && is_reusable)
        pool_put(&exchange->server->pool, conn);
    else if (conn != NULL)
        upstream_conn_close(conn);
    if (endpoint != NULL)
        endpoint_end(&exchange->server->upstreams, endpoint);
}

static void become_answered(struct exchange *exchange)
{
    exchange_release_upstream(exchange, false);
    exchange->state = EXCHANGE_ANSWERED;
    exchange->unsent = 0;
    wait_until(exchange, exchange->server->config->send_timeout_ms);
    if (server_ends_connections(exchange->server))
        exchange->req->http1_is_persistent = 0;
}

void exchange_reply_problem(struct exchange *exchange, int status, const struct field *field)
{
    become_answered(exchange);
    reply_problem(exchange->req, status, field);
}

void exchange_reply_json(struct exchange *exchange, int status, struct span type, struct span body)
{
    become_answered(exchange);
    reply_json(exchange->req, status, type, body);
}

void exchange_reply_no_content(struct exchange *exchange)
{
    become_answered(exchange);
    reply_no_content(exchange->req);
}

void exchange_reply_nothing(struct exchange *exchange)
{
    become_answered(exchange);
    reply_nothing(exchange->req);
}

void exchange_reply_stored(struct exchange *exchange, int status, struct span reason,
                           struct span body)
{
    become_answered(exchange);
    reply_stored(exchange->req, status, reason, body);
}

// The upstream has no answer for us; the cache may have an old one.
static void reply_failure(struct exchange *exchange, int status)
{
    static const struct field retry_after = {{"retry-after", 11}, {"1", 1}};
    if (exchange->upstream->index == UPSTREAM_OWN) // no gateway before another service, but a part
        status = 503;                              // of one that is not there for a moment
    if (exchange->cached == NULL || !cached_answer_stale(exchange->cached))
        exchange_reply_problem(exchange, status, status == 503 ? &retry_after : NULL);
}

void exchange_abort(struct exchange *exchange, const char *reason)
{
    h2o_req_t *req = exchange->req;
    complain(exchange, reason);
    exchange_release_upstream(exchange, false);
    exchange->state = EXCHANGE_ANSWERED;
    // Only a reset tells an HTTP/1.0 client that a body without a length is not complete.
    if (req->version == 0x100 && req->res.content_length == SIZE_MAX)
        client_reset_on_close(exchange->client);
    h2o_send(req, NULL, 0, H2O_SEND_STATE_ERROR);
}

void exchange_fail(struct exchange *exchange, enum metric_failure failure, const char *reason)
{
    exchange_count_failure(exchange, failure);
    exchange_abort(exchange, reason);
}

static void try_next_endpoint(struct exchange *exchange, enum retry_failure failure)
{
    struct upstreams *upstreams = &exchange->server->upstreams;
    if (exchange->tried_generation != upstreams->generation) {
        exchange->tried = (struct balance_mask){{0}};
        exchange->tried_generation = upstreams->generation;
    }
    struct endpoint *endpoint =
        upstream_pick(exchange->upstream, &exchange->tried, uv_now(exchange->server->loop));
    if (endpoint != NULL)
        start_try(exchange, endpoint, false);
    else
        reply_failure(exchange, exchange->tries == 0 ? 503 : retry_status(failure));
}

static void fail_try(struct exchange *exchange, enum retry_failure failure, const char *reason)
{
    uint64_t now = uv_now(exchange->server->loop);
    struct retry_try facts = {.tries = exchange->tries,
                              .sent = exchange->sent,
                              .has_time = now < exchange->connect_until_ms,
                              .reused = exchange->conn != NULL && exchange->conn->was_used,
                              .is_idempotent = exchange->is_idempotent};
    struct endpoint *endpoint = exchange->endpoint;
    if (exchange->state == EXCHANGE_CONNECTING)
        endpoint_avoid(exchange->upstream, endpoint, now);
    enum retry_action action = retry_decide(failure, &facts);
    if (action == RETRY_FRESH_CONNECTION && endpoint->removed)
        action = RETRY_NEXT_ENDPOINT;
    if (action == RETRY_FRESH_CONNECTION) {
        exchange_count_nothing(exchange);
    } else {
        complain(exchange, reason);
        exchange_count_failure(exchange, exchange_count_reason(failure, exchange->relay.ended));
    }
    exchange_release_upstream(exchange, false);
    relay_fini(&exchange->relay);
    if (action == RETRY_FRESH_CONNECTION)
        start_try(exchange, endpoint, true);
    else if (action == RETRY_NEXT_ENDPOINT)
        try_next_endpoint(exchange, failure);
    else
        reply_failure(exchange, retry_status(failure));
}

// --- a try --------------------------------------------------------------------------------------

static void send_request(struct exchange *exchange)
{
    h2o_iovec_t pieces[2] = {exchange->head, exchange->req->entity};
    exchange_count_sent(exchange);
    exchange->state = EXCHANGE_WAITING;
    exchange->connect_until_ms = 0;
    ++exchange->sent;
    wait_until(exchange, exchange->upstream->config->first_byte_timeout_ms);
    upstream_conn_send(exchange->conn, pieces, pieces[1].len > 0 ? 2 : 1);
    exchange->unsent = upstream_conn_unsent(exchange->conn);
}

static void on_connected(void *user, bool failed)
{
    struct exchange *exchange = user;
    if (failed) {
        fail_try(exchange, RETRY_CONNECT_FAILED, "connect failed");
        return;
    }
    endpoint_welcome(exchange->endpoint);
    send_request(exchange);
}

// Returns false when the exchange waits no more for a head, and may be gone.
static bool advance_head(struct exchange *exchange, bool hurry)
{
    switch (relay_begin(exchange, hurry)) {
    case RELAY_WAITS:
        if (!exchange->relay.ended)
            return true;
        fail_try(exchange, RETRY_BAD_ANSWER, "connection ended within the head");
        break;
    case RELAY_REFUSED:
        fail_try(exchange, RETRY_BAD_ANSWER, exchange->relay.problem);
        break;
    case RELAY_BEGUN:
        break;
    }
    return false;
}

// Interim answers, however many, are no answer: the time for its first byte goes on.
static void note_head(struct exchange *exchange)
{
    if (!relay_sees_final_head(exchange))
        return;
    exchange->state = EXCHANGE_READING;
    wait_until(exchange, exchange->upstream->config->read_timeout_ms);
}

static void on_readable(void *user, bool ended)
{
    struct exchange *exchange = user;
    if (ended)
        exchange->relay.ended = true;
    if (exchange->state == EXCHANGE_STREAMING) {
        if (exchange->relay.client_ready)
            wait_until(exchange, exchange->upstream->config->read_timeout_ms);
        relay_continue(exchange);
    } else if (upstream_conn_input(exchange->conn)->size == 0 && !exchange->relay.answered) {
        fail_try(exchange, RETRY_CLOSED_UNANSWERED, "connection ended without an answer");
    } else {
        exchange->relay.answered = true;
        if (advance_head(exchange, false))
            note_head(exchange);
    }
}

static const struct upstream_conn_user conn_user = {on_connected, on_readable};

// A pooled connection for the request, or NULL. Bytes that lie in the kernel were sent before the
// request and would be taken for its answer, so each is looked at first: what the loop saw of it is
// as old as the last poll, and an event of this very turn may still wait behind the client's. That
// the peer has closed it shows here as well.
static struct upstream_conn *take_pooled(struct exchange *exchange, struct endpoint *endpoint)
{
    struct upstream_conn *conn;
    while ((conn = pool_take(&exchange->server->pool, endpoint)) != NULL) {
        if (upstream_conn_is_clean(conn))
            break;
        upstream_conn_close(conn);
    }
    return conn;
}

// connect_timeout is for all endpoints together. While there are others, one of them may use half
// of what is left, so that a host which does not even refuse is passed over.
static void wait_for_connection(struct exchange *exchange)
{
    uint64_t now = uv_now(exchange->server->loop);
    if (exchange->connect_until_ms == 0)
        exchange->connect_until_ms = now + (uint64_t)exchange->upstream->config->connect_timeout_ms;
    uint64_t left = exchange->connect_until_ms - now;
    exchange->deadline_ms = now + (exchange->tries < exchange->upstream->count ? left / 2 : left);
}

static void start_try(struct exchange *exchange, struct endpoint *endpoint, bool fresh)
{
    struct err err;
    ++exchange->tries;
    endpoint_begin(&exchange->server->upstreams, endpoint);
    exchange->endpoint = endpoint;
    exchange_count_try(exchange);
    exchange->relay = (struct relay){.parsed = 0};
    exchange->conn = fresh ? NULL : take_pooled(exchange, endpoint);
    if (exchange->conn != NULL) {
        exchange->conn->callbacks = &conn_user;
        exchange->conn->user = exchange;
        send_request(exchange);
        return;
    }
    exchange->state = EXCHANGE_CONNECTING;
    wait_for_connection(exchange);
    exchange->conn =
        upstream_conn_open(exchange->server->loop, endpoint, &conn_user, exchange, &err);
    if (exchange->conn == NULL)
        fail_try(exchange, RETRY_CONNECT_FAILED, err.text);
}

// --- time, and the client -----------------------------------------------------------------------

static void on_is_uncounted(void *context)
{
    struct exchange *exchange = context;
    if (exchange->state == EXCHANGE_ANSWERED)
        return;
    exchange->is_uncounted = true;
    if (exchange->state == EXCHANGE_STREAMING) {
        exchange_release_upstream(exchange, false);
        exchange->state = EXCHANGE_ANSWERED;
        h2o_send(exchange->req, NULL, 0, H2O_SEND_STATE_ERROR);
    } else {
        exchange_reply_nothing(exchange);
    }
}

static void on_deadline(struct exchange *exchange)
{
    switch (exchange->state) {
    case EXCHANGE_CACHE:
        cached_go_alone(exchange->cached);
        break;
    case EXCHANGE_CONNECTING:
        fail_try(exchange, RETRY_CONNECT_TIMEOUT, "connect timed out");
        break;
    case EXCHANGE_WAITING:
    case EXCHANGE_READING:
        fail_try(exchange, RETRY_FIRST_BYTE_TIMEOUT, "answer timed out");
        break;
    case EXCHANGE_STREAMING:
        if (exchange->relay.client_ready)
            exchange_fail(exchange, FAILURE_TIMEOUT, "answer stalled");
        else
            exchange_abort(exchange, "client takes no more");
        break;
    case EXCHANGE_PURGE:
        break;
    case EXCHANGE_NEW:
    case EXCHANGE_ANSWERED:
        client_break(exchange->client);
        break;
    }
}

// Bytes of ours that the one whom we wait for has not taken; 0 when it is not that.
static size_t count_unsent(const struct exchange *exchange)
{
    if (exchange->state == EXCHANGE_WAITING)
        return upstream_conn_unsent(exchange->conn);
    bool client_is_slow = exchange->state == EXCHANGE_ANSWERED ||
                          (exchange->state == EXCHANGE_STREAMING && !exchange->relay.client_ready);
    return client_is_slow ? client_unsent(exchange->client) : 0;
}

// A long upload or download is fine as long as some of it goes through.
static void note_progress(struct exchange *exchange)
{
    size_t unsent = count_unsent(exchange);
    if (unsent < exchange->unsent)
        wait_until(exchange, exchange->state == EXCHANGE_WAITING
                                 ? exchange->upstream->config->first_byte_timeout_ms
                                 : exchange->server->config->send_timeout_ms);
    exchange->unsent = unsent;
}

static void on_tick(h2o_timeout_entry_t *entry)
{
    struct exchange *exchange = H2O_STRUCT_FROM_MEMBER(struct exchange, tick, entry);
    struct server *server = exchange->server;
    h2o_timeout_link(server->loop, &server->context.hundred_ms_timeout, &exchange->tick);
    if (exchange->hangup == NULL && exchange->state != EXCHANGE_ANSWERED)
        exchange->hangup = hangup_watch(server->loop, h2o_socket_get_fd(exchange->client->socket),
                                        on_is_uncounted, exchange);
    note_progress(exchange);
    if (uv_now(server->loop) >= exchange->deadline_ms)
        on_deadline(exchange);
    else if (exchange->state == EXCHANGE_READING)
        advance_head(exchange, true);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct exchange *exchange = H2O_STRUCT_FROM_MEMBER(struct exchange, super, generator);
    (void)req;
    exchange->relay.client_ready = true;
    wait_until(exchange, exchange->upstream->config->read_timeout_ms);
    relay_continue(exchange);
}

// --- life ---------------------------------------------------------------------------------------

static void on_request_disposed(void *memory)
{
    struct exchange *exchange = memory;
    struct server *server = exchange->server;
    h2o_timeout_unlink(&exchange->tick);
    hangup_close(exchange->hangup);
    exchange_release_upstream(exchange, false);
    relay_fini(&exchange->relay);
    cached_dispose(exchange->cached);
    exchange->client->exchange = NULL;
    patience_begin(&exchange->client->patience, false, uv_now(server->loop));
    gauge_down(&server->column->in_flight);
}

struct exchange *exchange_new(struct server *server, h2o_req_t *req)
{
    struct exchange *exchange =
        h2o_mem_alloc_shared(&req->pool, sizeof(*exchange), on_request_disposed);
    *exchange = (struct exchange){.super = {on_proceed, NULL},
                                  .req = req,
                                  .server = server,
                                  .client = client_of_request(req),
                                  .tick = {.cb = on_tick}};
    exchange_count_begun(exchange);
    exchange->client->exchange = exchange;
    gauge_up(&server->column->in_flight);
    wait_until(exchange, server->config->send_timeout_ms);
    h2o_timeout_link(server->loop, &server->context.hundred_ms_timeout, &exchange->tick);
    return exchange;
}

void exchange_prepare(struct exchange *exchange, struct upstream *upstream, h2o_iovec_t head,
                      struct span method)
{
    exchange->upstream = upstream;
    exchange->head = head;
    exchange->is_idempotent = retry_is_idempotent(method);
}

void exchange_fetch(struct exchange *exchange)
{
    try_next_endpoint(exchange, RETRY_CONNECT_FAILED);
}

void exchange_wait_for_cache(struct exchange *exchange, int64_t wait_ms)
{
    exchange->state = EXCHANGE_CACHE;
    wait_until(exchange, wait_ms);
}

void exchange_wait_for_purge(struct exchange *exchange)
{
    exchange->state = EXCHANGE_PURGE;
}

void exchange_end_now(struct exchange *exchange)
{
    exchange->req->http1_is_persistent = 0;
    switch (exchange->state) {
    case EXCHANGE_NEW:
    case EXCHANGE_CACHE:
    case EXCHANGE_PURGE:
    case EXCHANGE_CONNECTING:
    case EXCHANGE_WAITING:
    case EXCHANGE_READING:
        exchange_reply_problem(exchange, 503, NULL);
        break;
    case EXCHANGE_STREAMING:
        exchange_abort(exchange, "the worker ends");
        break;
    case EXCHANGE_ANSWERED:
        client_break(exchange->client);
        break;
    }
}
