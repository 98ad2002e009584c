// Sets libh2o up. One host, one path, one handler: routing is ours (router.h), since libh2o routes
// by a form of the path that is not the one sent upstream.
#include "server.h"

#include <stdlib.h>
#include <unistd.h>

#include "access_log.h"
#include "chunked.h"
#include "common/gateway_config.h"
#include "common/mem.h"
#include "common/proto.h"
#include "common/state_page.h"
#include "own_errors.h"
#include "proxy.h"
#include "router.h"

static void on_endpoint_removed(struct endpoint *endpoint, void *context)
{
    (void)context;
    pool_close_idle(endpoint);
}

// For libh2o's one limit, which is for all from the end of an answer to the end of the next request
// and closes silently. patience.h has ours.
#define NEVER_MS (UINT64_C(30) * 24 * 3600 * 1000)

enum {
    KEPT_BUFFERS = 64 // of 8 KiB; libh2o keeps 16, fewer than a busy turn of the loop uses
};

static void configure(struct server *server)
{
    h2o_globalconf_t *conf = &server->globalconf;
    h2o_config_init(conf);
    conf->server_name = h2o_iovec_init(NULL, 0); // the origin's Server passes; we add none
    // libh2o refuses a chunked body that reaches its limit, others only beyond; proxy.c is exact.
    conf->max_request_entity_size = (size_t)server->config->max_body_bytes + 1;
    conf->http1.req_timeout = NEVER_MS;
    conf->http1.upgrade_to_http2 = 0; // hides the raw head; a way to smuggle
    h2o_hostconf_t *host =
        h2o_config_register_host(conf, h2o_iovec_init(H2O_STRLIT("gateway")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    chunked_install(path);
    proxy_install(path, server);
    ledger_install(path, &server->ledger);
    own_errors_install(&host->fallback_path);
    ledger_install(&host->fallback_path, &server->ledger);
}

// A route's settings of the cache, ready for use.
struct route_cache {
    bool is_on;
    struct cache_config config; // borrows from the configuration
};

static void merge_route_caches(struct server *server)
{
    const struct route_config *routes = server->config->routes.items;
    size_t count = server->config->routes.count;
    server->route_caches = mem_zalloc(count, sizeof(*server->route_caches));
    for (size_t i = 0; i < count; ++i)
        server->route_caches[i].is_on =
            gateway_config_cache(server->config, &routes[i], &server->route_caches[i].config);
}

const struct cache_config *server_cache_config(const struct server *server,
                                               const struct route *route)
{
    const struct route_cache *cache = &server->route_caches[route->index];
    return cache->is_on && server->cache.fd != -1 ? &cache->config : NULL;
}

static void open_log(struct server *server)
{
    enum access_log_form form = (enum access_log_form)server->config->access_log;
    if (form != ACCESS_LOG_OFF)
        server->log =
            access_log_open(server->loop, STDOUT_FILENO, form, getenv(ENV_ID), &server->metrics);
}

int server_init(struct server *server, uv_loop_t *loop, const struct gateway_config *config,
                const struct server_pages *pages, size_t column, struct err *err)
{
    *server = (struct server){
        .loop = loop, .config = config, .pages = *pages, .column = &pages->state->column[column]};
    server->router = router_new(config, err);
    if (server->router == NULL)
        return -1;
    if (upstreams_init(&server->upstreams, config, server->column, on_endpoint_removed, NULL,
                       err) != 0) {
        router_free(server->router);
        return -1;
    }
    metrics_init(&server->metrics, config, pages->metrics, column);
    open_log(server);
    server->ledger = (struct ledger){.metrics = &server->metrics,
                                     .log = server->log,
                                     .hashes_addresses = config->monitoring.hash_addresses};
    health_init(&server->health);
    cache_init(&server->cache, loop);
    merge_route_caches(server);
    configure(server);
    h2o_socket_buffer_prototype.allocator.max = KEPT_BUFFERS;
    h2o_context_init(&server->context, loop, &server->globalconf);
    server->accept.ctx = &server->context;
    server->accept.hosts = server->globalconf.hosts;
    pool_init(&server->pool, loop, &server->upstreams);
    struct patience_limits limits = {.idle_ms = (uint64_t)config->keepalive_timeout_ms,
                                     .head_ms = (uint64_t)config->head_timeout_ms,
                                     .body_ms = (uint64_t)config->body_timeout_ms};
    clients_init(&server->clients, &server->accept, &limits, server->column, &server->ledger);
    return 0;
}

bool server_ends_connections(const struct server *server)
{
    return server->draining || server->config->keepalive_timeout_ms == 0;
}

static void move_gauge(_Atomic uint32_t *to, _Atomic uint32_t *from)
{
    uint32_t value = atomic_exchange_explicit(from, 0, memory_order_relaxed);
    atomic_store_explicit(to, value, memory_order_relaxed);
}

void server_move_column(struct server *server, size_t index)
{
    struct state_column *old = server->column, *column = &server->pages.state->column[index];
    if (old == column)
        return;
    column->loop_lag_us = atomic_exchange(&old->loop_lag_us, 0);
    move_gauge(&column->connections, &old->connections);
    move_gauge(&column->in_flight, &old->in_flight);
    for (size_t i = 0; i < STATE_ENDPOINTS; ++i)
        move_gauge(&column->endpoint_in_flight[i], &old->endpoint_in_flight[i]);
    server->column = column;
    server->upstreams.column = column;
    server->clients.column = column;
    metrics_move(&server->metrics, index);
}

void server_fini(struct server *server)
{
    health_fini(&server->health);
    monitoring_close(&server->monitoring);
    upstreams_fini(&server->upstreams); // and with them the idle connections
    pool_close(&server->pool, NULL);
    clients_close(&server->clients);
    cache_fini(&server->cache, server->loop);
    free(server->route_caches);
    h2o_context_dispose(&server->context);
    h2o_config_dispose(&server->globalconf);
    access_log_close(server->log);
    metrics_fini(&server->metrics);
    router_free(server->router);
}
