// What happens to a request before it goes upstream. libh2o has parsed it leniently; here its raw
// head, which still lies at the start of the connection's input, is looked at again (see
// request_check.h), and everything that goes on is built from what that found.
//
// Not its job: what happens upstream (exchange.c).
#include "proxy.h"

#include "cached.h"
#include "clients.h"
#include "common/gateway_config.h"
#include "common/log.h"
#include "exchange.h"
#include "health.h"
#include "monitoring.h"
#include "purge.h"
#include "request_check.h"
#include "request_head.h"
#include "router.h"
#include "server.h"
#include "target.h"

enum { NORMAL_PATH_SIZE = 1024 }; // longer paths are normalised in the request's memory

struct proxy {
    h2o_handler_t super;
    struct server *server;
};

// Someone else may have understood the request differently, so nothing more is read from this
// connection.
static void refuse(struct exchange *exchange, const char *reason)
{
    log_debug("%.*s: refused: %s", (int)client_peer(exchange->client).length,
              exchange->client->peer, reason);
    exchange->req->http1_is_persistent = 0;
    exchange_reply_problem(exchange, 400, NULL);
}

static struct span rewrite(h2o_req_t *req, const struct route *route, struct span path)
{
    if (!route->has_rewrite)
        return path;
    return route_rewrite(route, path,
                         h2o_mem_alloc_pool(&req->pool, route_rewrite_bound(route, path.length)));
}

// What an HTTP/1.0 client did not say.
static struct span default_host(const struct upstream *upstream)
{
    const char *address = upstream->count == 0 ? "unix:" : upstream->endpoints[0]->address;
    if (strncmp(address, "unix:", 5) == 0)
        return SPAN("localhost");
    return (struct span){address, strlen(address)};
}

bool proxy_prepare(struct exchange *exchange, const struct request_facts *facts,
                   struct upstream *upstream, struct span path)
{
    h2o_req_t *req = exchange->req;
    struct request_head head = {
        .method = facts->method,
        .path = path,
        .query = facts->query,
        .host = facts->authority.length > 0 ? facts->authority : default_host(upstream),
        .peer = client_peer(exchange->client),
        .scheme = SPAN("http"),
        .fields = facts->fields,
        .field_count = facts->field_count,
        .keeps_forwarded_for = upstream->index == UPSTREAM_OWN, // it writes down who has reset
        .has_content_length = facts->has_content_length || facts->has_transfer_encoding,
        .content_length = req->entity.len};
    size_t size = request_head_bound(&head);
    h2o_iovec_t text = {h2o_mem_alloc_pool(&req->pool, size), 0};
    struct err err;
    if (request_head_write(&head, text.base, size, &text.len, &err) != 0) {
        refuse(exchange, err.text);
        return false;
    }
    exchange_prepare(exchange, upstream, text, facts->method);
    return true;
}

static void forward(struct exchange *exchange, const struct request_facts *facts,
                    const struct route *route, struct span path)
{
    const struct route_config *routes = exchange->server->config->routes.items;
    exchange->route = &routes[route->index];
    exchange->counted_as = METRICS_BUILT_IN + route->index;
    const struct cache_config *cache = server_cache_config(exchange->server, route);
    if (purge_answer(exchange, cache, facts, path))
        return;
    if (cache != NULL) {
        exchange->cached = cached_new(exchange, cache, facts, path);
        if (cached_answer(exchange->cached))
            return;
    }
    struct upstream *upstream = &exchange->server->upstreams.items[route->upstream];
    if (!proxy_prepare(exchange, facts, upstream, rewrite(exchange->req, route, path)))
        return;
    if (exchange->cached == NULL || !cached_wait(exchange->cached))
        exchange_fetch(exchange);
}

static void dispatch(struct exchange *exchange, const struct request_facts *facts)
{
    char small[NORMAL_PATH_SIZE];
    char *out = small;
    struct span path;
    if (facts->path.length > sizeof(small))
        out = h2o_mem_alloc_pool(&exchange->req->pool, facts->path.length);
    if (target_normalise(facts->path, out, &path) != 0) {
        refuse(exchange, "path");
        return;
    }
    if (path.bytes[0] == '*') { // OPTIONS, about the server as a whole: a ping (RFC 9110 §9.3.7)
        exchange_reply_no_content(exchange);
        return;
    }
    if (health_answer(exchange, facts, path) || monitoring_answer(exchange, facts, path))
        return;
    const struct route *route = router_match(exchange->server->router, path);
    if (route == NULL)
        exchange_reply_problem(exchange, 404, NULL);
    else
        forward(exchange, facts, route, path);
}

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct server *server = H2O_STRUCT_FROM_MEMBER(struct proxy, super, handler)->server;
    struct exchange *exchange = exchange_new(server, req);
    const h2o_buffer_t *input = exchange->client->socket->input;
    struct request_facts facts;
    if (patience_is_over(&exchange->client->patience)) {
        exchange->is_uncounted = true;
        exchange_reply_nothing(exchange);
        return 0;
    }
    const char *reason = request_check(input->bytes, input->size, &facts);
    if (reason != NULL) {
        refuse(exchange, reason);
        return 0;
    }
    // Where such a body ended is what two servers disagree about most easily, and a library that
    // does not call request_chunks.c would read it leniently: nothing is read behind it.
    if (facts.has_transfer_encoding)
        req->http1_is_persistent = 0;
    if (req->entity.len > (size_t)server->config->max_body_bytes)
        exchange_reply_problem(exchange, 413, NULL);
    else
        dispatch(exchange, &facts);
    return 0;
}

void proxy_install(h2o_pathconf_t *path, struct server *server)
{
    struct proxy *proxy = (struct proxy *)h2o_create_handler(path, sizeof(*proxy));
    proxy->super.on_req = on_request;
    proxy->server = server;
}
