// Passes an answer on without copying it: the buffer that was read into is handed to libh2o and
// kept until libh2o has written it, while the connection reads into the next one. When that is full
// before the client took the first, reading stops until it did. Not its job: timeouts and retries
// (exchange.c), and the grammar of heads and bodies (response.c, body.c).
//
// A small answer that came whole leaves with one write, head and body. Small answers that come in
// two pieces (head, then body) are waited for, up to the exchange's next tick.
//
// Invariant: nothing is passed on as complete that the upstream did not complete.
#include "relay.h"

#include "route_fields.h"
#include "cached.h"
#include "common/gateway_config.h"
#include "exchange.h"
#include "response.h"
#include "server.h"
#include "upstream_conn.h"

enum {
    RELAY_MAX_PIECES = 16,      // of a body, in one write
    RELAY_SMALL_ANSWER = 16384, // bytes that are worth waiting for
    RELAY_FULL = 65536,         // bytes read ahead of the client
    ADDED_FIELDS = 3
};

// Parts of a body that lie in the buffer, for one write.
struct pieces {
    h2o_iovec_t items[RELAY_MAX_PIECES];
    size_t count;
    size_t length;
};

void relay_fini(struct relay *relay)
{
    if (relay->sending != NULL)
        h2o_buffer_dispose(&relay->sending);
    relay->sending = NULL;
}

// --- the head -----------------------------------------------------------------------------------

// Finds the head of the final answer in the input; those of 1xx are skipped.
static enum response_result find_head(struct exchange *exchange, struct response_head *head)
{
    struct relay *relay = &exchange->relay;
    bool is_head = h2o_memis(exchange->req->input.method.base, exchange->req->input.method.len,
                             H2O_STRLIT("HEAD"));
    for (;;) {
        h2o_buffer_t *input = upstream_conn_input(exchange->conn);
        if (input->size == 0)
            return RESPONSE_MORE;
        enum response_result result =
            response_parse_head(input->bytes, input->size, relay->parsed, is_head, head);
        relay->parsed = result == RESPONSE_MORE ? input->size : 0;
        if (result == RESPONSE_BAD)
            relay->problem = head->problem;
        if (result != RESPONSE_OK || head->status >= 200)
            return result;
        upstream_conn_skip_input(exchange->conn, head->head_length);
    }
}

bool relay_sees_final_head(const struct exchange *exchange)
{
    enum { STATUS = sizeof("HTTP/1.1 ") - 1 };
    const h2o_buffer_t *input = upstream_conn_input(exchange->conn);
    return input->size > STATUS && input->bytes[STATUS] != '1';
}

static bool is_worth_waiting(const struct exchange *exchange, const struct response_head *head)
{
    size_t there = upstream_conn_input(exchange->conn)->size;
    return head->framing == BODY_LENGTH && head->content_length <= RELAY_SMALL_ANSWER &&
           there < head->head_length + head->content_length;
}

// libh2o keeps a name as a pointer to its text. Both arrays come from one piece of the request's
// memory; there is room for what the chunked filter and the cache add. The texts stay in the
// buffer, which is there until libh2o has written the head.
static void copy_fields(struct exchange *exchange, const struct response_head *head)
{
    h2o_req_t *req = exchange->req;
    size_t capacity = head->field_count + ADDED_FIELDS;
    h2o_header_t *headers =
        h2o_mem_alloc_pool(&req->pool, capacity * (sizeof(h2o_header_t) + sizeof(h2o_iovec_t)));
    h2o_iovec_t *names = (h2o_iovec_t *)(headers + capacity);
    size_t count = 0;
    for (size_t i = 0; i < head->field_count; ++i) {
        const struct field *field = &head->fields[i];
        if (!fields_forward_response(field->name, &head->connection) ||
            route_fields_replace(exchange->route, head->status, field->name))
            continue;
        names[count] = h2o_iovec_init(field->name.bytes, field->name.length);
        headers[count].name = &names[count];
        headers[count].orig_name = NULL;
        headers[count].value = h2o_iovec_init(field->value.bytes, field->value.length);
        ++count;
    }
    req->res.headers.entries = headers;
    req->res.headers.size = count;
    req->res.headers.capacity = capacity;
}

static void copy_head(struct exchange *exchange, const struct response_head *head)
{
    h2o_req_t *req = exchange->req;
    exchange->answered = (unsigned)head->status;
    req->res.status = head->status;
    if (!h2o_memis(head->reason.bytes, head->reason.length, H2O_STRLIT("OK")))
        req->res.reason = h2o_strdup(&req->pool, head->reason.bytes, head->reason.length).base;
    req->res.content_length = head->content_length;
    copy_fields(exchange, head);
    route_fields_add(req, exchange->route, head->status);
    if (exchange->cached != NULL)
        cached_on_head(exchange->cached, head);
    if (server_ends_connections(exchange->server))
        req->http1_is_persistent = 0;
}

// --- the body -----------------------------------------------------------------------------------

// Decodes what is in the buffer. BODY_DATA: there is more in it than one write takes.
static enum body_result decode(struct relay *relay, struct pieces *pieces)
{
    enum body_result result = BODY_DATA;
    while (result == BODY_DATA && pieces->count < RELAY_MAX_PIECES) {
        size_t left = relay->sending->size - relay->decoded, used;
        const char *at = left == 0 ? "" : relay->sending->bytes + relay->decoded;
        struct span data;
        result = body_decode(&relay->decoder, at, left, &used, &data);
        relay->decoded += used;
        if (result != BODY_DATA)
            break;
        pieces->items[pieces->count++] = h2o_iovec_init(data.bytes, data.length);
        pieces->length += data.length;
    }
    return result;
}

// The connection ended and everything it brought was decoded: was that the whole body?
static bool is_whole_at_end(struct exchange *exchange)
{
    struct body_decoder *decoder = &exchange->relay.decoder;
    return (decoder->framing != BODY_UNTIL_CLOSE || upstream_conn_ended_orderly(exchange->conn)) &&
           body_on_eof(decoder);
}

// BODY_MORE that will never come is BODY_COMPLETE or BODY_BAD.
static enum body_result settle(struct exchange *exchange, enum body_result result)
{
    struct relay *relay = &exchange->relay;
    if (result == BODY_BAD)
        relay->problem = body_problem(&relay->decoder);
    if (result != BODY_MORE || !relay->ended || upstream_conn_input(exchange->conn)->size > 0)
        return result;
    if (is_whole_at_end(exchange))
        return BODY_COMPLETE;
    relay->problem = "connection ended within the body";
    return BODY_BAD;
}

static void offer_to_cache(struct exchange *exchange, const struct pieces *pieces)
{
    for (size_t i = 0; exchange->cached != NULL && i < pieces->count; ++i)
        cached_on_body(exchange->cached, pieces->items[i].base, pieces->items[i].len);
}

static void send_pieces(struct exchange *exchange, struct pieces *pieces)
{
    offer_to_cache(exchange, pieces);

    struct server *server = exchange->server;
    exchange->relay.client_ready = false;
    exchange->unsent = 0;
    exchange->deadline_ms = uv_now(server->loop) + (uint64_t)server->config->send_timeout_ms;
    h2o_send(exchange->req, pieces->items, pieces->count, H2O_SEND_STATE_IN_PROGRESS);
}

static void send_last(struct exchange *exchange, struct pieces *pieces)
{
    offer_to_cache(exchange, pieces);
    if (exchange->cached != NULL)
        cached_on_complete(exchange->cached);
    struct relay *relay = &exchange->relay;
    bool is_clean = relay->sending == NULL || relay->decoded == relay->sending->size;
    struct server *server = exchange->server;
    exchange_release_upstream(exchange, is_clean && relay->keep_alive && !relay->ended);
    exchange->state = EXCHANGE_ANSWERED;
    exchange->unsent = 0;
    exchange->deadline_ms = uv_now(server->loop) + (uint64_t)server->config->send_timeout_ms;
    h2o_send(exchange->req, pieces->items, pieces->count, H2O_SEND_STATE_FINAL);
}

enum relay_result relay_begin(struct exchange *exchange, bool hurry)
{
    struct relay *relay = &exchange->relay;
    struct response_head head;
    struct pieces pieces = {.count = 0, .length = 0};
    if (!hurry && !relay->ended && upstream_conn_input(exchange->conn)->size < relay->wanted)
        return RELAY_WAITS;
    enum response_result found = find_head(exchange, &head);
    if (found != RESPONSE_OK)
        return found == RESPONSE_MORE ? RELAY_WAITS : RELAY_REFUSED;
    if (!hurry && !relay->ended && is_worth_waiting(exchange, &head)) {
        relay->wanted = head.head_length + head.content_length;
        return RELAY_WAITS;
    }
    relay->sending = upstream_conn_take_input(exchange->conn);
    relay->decoded = head.head_length;
    relay->keep_alive = head.keep_alive;
    body_decoder_init(&relay->decoder, head.framing, head.content_length);
    enum body_result result = settle(exchange, decode(relay, &pieces));
    if (result == BODY_BAD)
        return RELAY_REFUSED;
    if (result == BODY_COMPLETE && head.framing != BODY_NONE)
        head.content_length = pieces.length;
    copy_head(exchange, &head);
    exchange->state = EXCHANGE_STREAMING;
    h2o_start_response(exchange->req, &exchange->super);
    if (result == BODY_COMPLETE)
        send_last(exchange, &pieces);
    else
        send_pieces(exchange, &pieces);
    return RELAY_BEGUN;
}

// Decodes until there is something to send, or nothing left to decode.
static enum body_result decode_next(struct exchange *exchange, struct pieces *pieces)
{
    struct relay *relay = &exchange->relay;
    enum body_result result;
    do {
        if (relay->sending != NULL && relay->decoded == relay->sending->size)
            relay_fini(relay);
        if (relay->sending == NULL) {
            relay->sending = upstream_conn_take_input(exchange->conn);
            relay->decoded = 0;
        }
        result = decode(relay, pieces);
    } while (result == BODY_MORE && pieces->count == 0 &&
             upstream_conn_input(exchange->conn)->size > 0);
    return result;
}

void relay_continue(struct exchange *exchange)
{
    struct relay *relay = &exchange->relay;
    struct pieces pieces = {.count = 0, .length = 0};
    if (!relay->client_ready) {
        if (upstream_conn_input(exchange->conn)->size >= RELAY_FULL)
            upstream_conn_set_reading(exchange->conn, false);
        return;
    }
    enum body_result result = settle(exchange, decode_next(exchange, &pieces));
    if (result == BODY_COMPLETE) {
        send_last(exchange, &pieces);
    } else if (result == BODY_BAD) {
        exchange_fail(exchange, relay->ended ? FAILURE_CLOSED : FAILURE_BAD_ANSWER, relay->problem);
    } else {
        if (!relay->ended)
            upstream_conn_set_reading(exchange->conn, true);
        if (pieces.count > 0)
            send_pieces(exchange, &pieces);
    }
}
