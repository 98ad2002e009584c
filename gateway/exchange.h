// One request of a client and what becomes of it: an answer of our own, or an exchange with an
// upstream, in one try or several (retry.h).
//
// It lives in the request's memory and ends with it: when libh2o disposes of the request, for
// whatever reason, everything that is under way for it is cancelled.
#ifndef GW_GATEWAY_EXCHANGE_H
#define GW_GATEWAY_EXCHANGE_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "balance.h"
#include "common/metrics_page.h"
#include "relay.h"
#include "retry.h"

struct client;
struct endpoint;
struct hangup;
struct route_config;
struct server;
struct upstream;
struct upstream_conn;

enum exchange_state {
    EXCHANGE_NEW,   // nothing decided yet
    EXCHANGE_CACHE, // waits for the cache: for a lock, or what others fetch (cached.h)
    EXCHANGE_PURGE, // waits for cachesvc to remove something (purge.h)
    EXCHANGE_CONNECTING,
    EXCHANGE_WAITING,   // the request is being sent or was; interim answers at most have come
    EXCHANGE_READING,   // the final answer has begun, its head is not passed on yet
    EXCHANGE_STREAMING, // the head was passed on
    EXCHANGE_ANSWERED,  // libh2o has the rest; the upstream is released
};

struct exchange {
    h2o_generator_t super;
    h2o_req_t *req;
    struct server *server;
    struct client *client;
    enum exchange_state state;
    bool is_uncounted; // nobody gets an answer, or somebody had one before

    uint64_t begun_us; // clock_mono_us, when its head was there
    size_t counted_as; // the route's number (metrics.h)

    // What it waits for must show progress before the deadline; looked at every 100 ms.
    h2o_timeout_entry_t tick;
    uint64_t deadline_ms;
    size_t unsent; // to whom it waits for, at the last look
    struct hangup *hangup;

    const struct route_config *route; // NULL: none yet
    struct cached *cached;            // its part in the response cache, or NULL

    // The upstream side.
    struct upstream *upstream;
    struct endpoint *endpoint; // picked and counted, or NULL
    struct span endpoint_text; // of the last one that was
    struct upstream_conn *conn;
    h2o_iovec_t head; // of the request, as it goes upstream
    bool is_idempotent;
    unsigned tries, sent;
    uint64_t sent_us;          // clock_mono_us, when this try's was; 0: it was not
    unsigned answered;         // the status that this try brought, or 0
    uint64_t connect_until_ms; // for connections in a row; 0: the last one was made
    struct balance_mask tried;
    uint64_t tried_generation; // of the endpoint set that `tried` is about
    struct relay relay;
};

// The exchange of a request that a handler got, in its memory.
struct exchange *exchange_new(struct server *server, h2o_req_t *req);

// What goes to the upstream, should it be asked. `head` is borrowed from the request's memory; the
// body is the request's.
void exchange_prepare(struct exchange *exchange, struct upstream *upstream, h2o_iovec_t head,
                      struct span method);

// Gets the answer from the upstream. The request may be gone when this returns.
void exchange_fetch(struct exchange *exchange);

// The cache will go on with it (cached.c), at the latest after `wait_ms`.
void exchange_wait_for_cache(struct exchange *exchange, int64_t wait_ms);

// A purge is under way, which ends by itself.
void exchange_wait_for_purge(struct exchange *exchange);

// Answers itself; see reply.h. The request may be gone when this returns.
void exchange_reply_problem(struct exchange *exchange, int status, const struct field *field);
void exchange_reply_json(struct exchange *exchange, int status, struct span type, struct span body);
// Fields are in req->res already; `body` lives as long as the request.
void exchange_reply_stored(struct exchange *exchange, int status, struct span reason,
                           struct span body);
void exchange_reply_no_content(struct exchange *exchange);
void exchange_reply_nothing(struct exchange *exchange);

// The worker must end now: an answer that has not begun is a 503, others break off.
void exchange_end_now(struct exchange *exchange);

// --- for relay.c --------------------------------------------------------------------------------

// The answer has been read to its end: the connection goes back to the pool or is closed.
void exchange_release_upstream(struct exchange *exchange, bool is_reusable);

// An answer that has begun cannot be completed: the client's connection is broken off. The exchange
// is gone when this returns.
void exchange_abort(struct exchange *exchange, const char *reason);

// The same when the upstream is to blame.
void exchange_fail(struct exchange *exchange, enum metric_failure failure, const char *reason);

#endif
