// The HTTP side of a worker: libh2o set up for one configuration, and what its requests share.
#ifndef GW_GATEWAY_SERVER_H
#define GW_GATEWAY_SERVER_H

#include <h2o.h>
#include <stdbool.h>

#include "cache.h"
#include "clients.h"
#include "common/err.h"
#include "endpoints.h"
#include "health.h"
#include "ledger.h"
#include "metrics.h"
#include "monitoring.h"
#include "pool.h"
#include "throttle.h"

struct cache_config;
struct gateway_config;
struct route;
struct router;
struct state_column;
struct state_page;

// Where a worker keeps its numbers: the same column of both pages. Borrowed.
struct server_pages {
    struct state_page *state;
    struct metrics_page *metrics; // NULL: they are nobody's business
};

struct server {
    uv_loop_t *loop;
    const struct gateway_config *config; // borrowed
    struct server_pages pages;
    struct state_column *column; // of pages.state
    struct metrics metrics;
    struct ledger ledger;
    struct access_log *log; // NULL: none is wanted
    h2o_globalconf_t globalconf;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    struct router *router;
    struct upstreams upstreams;
    struct monitoring monitoring;
    struct health health;
    struct pool pool;
    struct clients clients;
    struct cache cache;
    struct route_cache *route_caches; // by a route's index
    struct throttle complaints;       // about upstreams
    bool draining;
};

// Borrows everything. On failure nothing is left to free.
int server_init(struct server *server, uv_loop_t *loop, const struct gateway_config *config,
                const struct server_pages *pages, size_t column, struct err *err) GW_MUST_USE;

// What the response cache does for a route's requests; NULL: nothing.
const struct cache_config *server_cache_config(const struct server *server,
                                               const struct route *route);

// Does every answer end its client's connection?
bool server_ends_connections(const struct server *server);

// Uses another column of the pages from now on. What is under way moves there, what was counted
// stays.
void server_move_column(struct server *server, size_t column);

// No client may be connected any more. Runs the loop once; memory of closing handles goes with
// later turns of the loop.
void server_fini(struct server *server);

#endif
