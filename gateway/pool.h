// Idle connections, kept for the next request to the same endpoint. Their lists are in the
// endpoints; the pool limits them and lets them age.
#ifndef GW_GATEWAY_POOL_H
#define GW_GATEWAY_POOL_H

#include <uv.h>

struct endpoint;
struct upstream_conn;
struct upstreams;

struct pool {
    uv_timer_t sweep; // runs while there are idle connections
    struct upstreams *upstreams;
    size_t idle_count;
};

void pool_init(struct pool *pool, uv_loop_t *loop, struct upstreams *upstreams);

// All idle connections must be closed by then (pool_close_idle). on_closed may be NULL.
void pool_close(struct pool *pool, uv_close_cb on_closed);

// The most recently used idle connection to an endpoint, or NULL. The caller sets its callbacks.
struct upstream_conn *pool_take(struct pool *pool, struct endpoint *endpoint);

// Takes a connection whose answer is complete; closes it when the endpoint was removed, has enough
// idle ones, or the connection is not as clean as it should be (unread bytes, unsent bytes).
void pool_put(struct pool *pool, struct upstream_conn *conn);

// Closes the idle connections of an endpoint.
void pool_close_idle(struct endpoint *endpoint);

#endif
