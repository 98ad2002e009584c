// The pool of idle upstream connections.
//
// Last in, first out, so that a few busy connections do the work and the others age; each
// endpoint's list runs from newest to oldest, so the sweep looks at its end only. A second more or
// less does not matter for an idle connection: one timer serves all of them.
//
// Invariant: a connection in a list has no callbacks; whatever happens on it closes it.
#include "pool.h"

#include "common/gateway_config.h"
#include "endpoints.h"
#include "upstream_conn.h"

enum { SWEEP_MS = 1000 };

static struct pool *pool_of(const struct upstream_conn *conn)
{
    return conn->user;
}

static void unlink_idle(struct pool *pool, struct upstream_conn *conn)
{
    struct endpoint *endpoint = conn->endpoint;
    if (conn->newer != NULL)
        conn->newer->older = conn->older;
    else
        endpoint->newest = conn->older;
    if (conn->older != NULL)
        conn->older->newer = conn->newer;
    else
        endpoint->oldest = conn->newer;
    conn->newer = conn->older = NULL;
    --endpoint->idle_count;
    --pool->idle_count;
}

static void link_idle(struct pool *pool, struct upstream_conn *conn)
{
    struct endpoint *endpoint = conn->endpoint;
    conn->older = endpoint->newest;
    conn->newer = NULL;
    if (endpoint->newest != NULL)
        endpoint->newest->newer = conn;
    else
        endpoint->oldest = conn;
    endpoint->newest = conn;
    ++endpoint->idle_count;
    ++pool->idle_count;
}

// The peer closed it, or sent something nobody asked for.
static void on_idle_event(struct upstream_conn *conn)
{
    unlink_idle(pool_of(conn), conn);
    upstream_conn_close(conn);
}

static void sweep_endpoint(struct endpoint *endpoint, uint64_t now)
{
    while (endpoint->oldest != NULL && now - endpoint->oldest->idle_since_ms >=
                                           (uint64_t)endpoint->config->keepalive_timeout_ms)
        on_idle_event(endpoint->oldest);
}

static void on_sweep(uv_timer_t *timer)
{
    struct pool *pool = timer->data;
    uint64_t now = uv_now(timer->loop);
    for (size_t i = 0; i < pool->upstreams->count; ++i)
        for (size_t j = 0; j < pool->upstreams->items[i].count; ++j)
            sweep_endpoint(pool->upstreams->items[i].endpoints[j], now);
    if (pool->idle_count == 0)
        uv_timer_stop(timer);
}

void pool_init(struct pool *pool, uv_loop_t *loop, struct upstreams *upstreams)
{
    *pool = (struct pool){.upstreams = upstreams};
    uv_timer_init(loop, &pool->sweep);
    pool->sweep.data = pool;
}

void pool_close(struct pool *pool, uv_close_cb on_closed)
{
    uv_close((uv_handle_t *)&pool->sweep, on_closed);
}

struct upstream_conn *pool_take(struct pool *pool, struct endpoint *endpoint)
{
    struct upstream_conn *conn = endpoint->newest;
    if (conn == NULL)
        return NULL;
    unlink_idle(pool, conn);
    conn->user = NULL;
    conn->was_used = true;
    return conn;
}

static bool may_keep(const struct upstream_conn *conn)
{
    const struct endpoint *endpoint = conn->endpoint;
    return !endpoint->removed && conn->reading &&
           endpoint->idle_count < (size_t)endpoint->config->keepalive_connections &&
           upstream_conn_input(conn)->size == 0 && !h2o_socket_is_writing(conn->socket);
}

void pool_put(struct pool *pool, struct upstream_conn *conn)
{
    if (!may_keep(conn)) {
        upstream_conn_close(conn);
        return;
    }
    conn->callbacks = NULL;
    conn->user = pool;
    conn->on_idle_event = on_idle_event;
    conn->idle_since_ms = uv_now(pool->sweep.loop);
    link_idle(pool, conn);
    if (!uv_is_active((uv_handle_t *)&pool->sweep))
        uv_timer_start(&pool->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

void pool_close_idle(struct endpoint *endpoint)
{
    while (endpoint->newest != NULL)
        on_idle_event(endpoint->newest);
}
