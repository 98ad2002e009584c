// Cells by what they are for. Most requests of a route have the method and the status of the last
// one, so the cells of those are kept, and those of how long all of them took.
//
// Invariant: no pointer into a column outlives a move to another one.
#include "metrics.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/gateway_config.h"
#include "common/mem.h"

struct metrics_route {
    uint32_t name;
    struct span text;
    uint16_t method, status;                        // of `requests`
    struct metric_cell *requests[HISTOGRAM_BOUNDS]; // NULL: not yet
    struct metric_cell *duration_sum, *bytes;
    struct metric_cell *cache[CACHE_COUNT]; // NULL: not yet
};

struct metrics_upstream {
    uint32_t name;
    struct metric_cell *duration_sum, *retries;
    struct metric_cell *durations[HISTOGRAM_BOUNDS]; // NULL: not yet
};

static struct metric_cell *cell(struct metrics *metrics, enum metric_family family, uint32_t name,
                                unsigned first)
{
    struct metric_key key = {.name = {name}, .family = (uint16_t)family, .first = (uint16_t)first};
    return metrics_writer_cell(&metrics->writer, &key);
}

static struct span text_of(const struct metrics *metrics, uint32_t name)
{
    struct span text = {NULL, 0};
    text.bytes = metrics_column_name(metrics->writer.column, name, &text.length);
    return text.bytes != NULL ? text : SPAN("");
}

static uint32_t name_of(struct metrics *metrics, const char *text)
{
    return metrics_writer_name(&metrics->writer, text, strlen(text));
}

// --- finding cells ------------------------------------------------------------------------------

static struct metric_cell *find_requests(struct metrics *metrics, struct metrics_route *route,
                                         const struct metrics_request *request)
{
    unsigned bound = histogram_bound(request->duration_us);
    struct metric_key key = {.name = {route->name},
                             .family = METRIC_REQUESTS,
                             .first = (uint16_t)request->method,
                             .second = (uint16_t)request->status,
                             .bound = (uint16_t)bound};
    if (request->status != route->status || request->method != route->method) {
        memset(route->requests, 0, sizeof(route->requests));
        route->method = (uint16_t)request->method;
        route->status = (uint16_t)request->status;
    }
    if (route->requests[bound] == NULL)
        route->requests[bound] = metrics_writer_cell(&metrics->writer, &key);
    return route->requests[bound];
}

static struct metric_cell *find_duration(struct metrics *metrics, unsigned bucket)
{
    if (metrics->durations[bucket] == NULL)
        metrics->durations[bucket] = cell(metrics, METRIC_DURATION, 0, bucket);
    return metrics->durations[bucket];
}

static struct metric_cell *find_try_time(struct metrics *metrics, struct metrics_upstream *upstream,
                                         unsigned bound)
{
    struct metric_key key = {
        .name = {upstream->name}, .family = METRIC_UPSTREAM_DURATION, .bound = (uint16_t)bound};
    if (upstream->durations[bound] == NULL)
        upstream->durations[bound] = metrics_writer_cell(&metrics->writer, &key);
    return upstream->durations[bound];
}

static void find_route(struct metrics *metrics, size_t number, const char *name)
{
    static const struct metrics_request usual = {.method = METHOD_GET, .status = 200};
    struct metrics_route *route = &metrics->routes[number];
    memset(route, 0, sizeof(*route));
    route->name = name_of(metrics, name);
    route->text = text_of(metrics, route->name);
    route->duration_sum = cell(metrics, METRIC_DURATION_SUM, route->name, 0);
    route->bytes = cell(metrics, METRIC_RESPONSE_BYTES, route->name, 0);
    find_requests(metrics, route, &usual);
}

static struct metric_cell *find_cache(struct metrics *metrics, struct metrics_route *route,
                                      enum metric_cache result)
{
    if (route->cache[result] == NULL)
        route->cache[result] = cell(metrics, METRIC_CACHE, route->name, result);
    return route->cache[result];
}

static void find_configured_route(struct metrics *metrics, size_t index)
{
    const struct route_config *config = metrics->config->routes.items;
    struct cache_config cache;
    find_route(metrics, METRICS_BUILT_IN + index, config[index].id);
    if (!gateway_config_cache(metrics->config, &config[index], &cache))
        return;
    find_cache(metrics, &metrics->routes[METRICS_BUILT_IN + index], CACHE_HIT);
    find_cache(metrics, &metrics->routes[METRICS_BUILT_IN + index], CACHE_MISS);
}

static void find_upstream(struct metrics *metrics, size_t index)
{
    const struct upstream_config *config = metrics->config->upstreams.items;
    struct metrics_upstream *upstream = &metrics->upstreams[index];
    memset(upstream, 0, sizeof(*upstream));
    upstream->name = name_of(metrics, config[index].name);
    upstream->duration_sum = cell(metrics, METRIC_UPSTREAM_DURATION_SUM, upstream->name, 0);
    upstream->retries = cell(metrics, METRIC_RETRIES, upstream->name, 0);
}

static void open_column(struct metrics *metrics, struct metrics_column *column)
{
    metrics_writer_init(&metrics->writer, column);
    memset(metrics->durations, 0, sizeof(metrics->durations));
    find_route(metrics, METRICS_UNMATCHED, METRIC_ROUTE_UNMATCHED);
    find_route(metrics, METRICS_HEALTH, METRIC_ROUTE_HEALTH);
    find_route(metrics, METRICS_MONITORING, METRIC_ROUTE_MONITORING);
    for (size_t i = 0; i < metrics->config->routes.count; ++i)
        find_configured_route(metrics, i);
    for (size_t i = 0; i < metrics->config->upstreams.count; ++i)
        find_upstream(metrics, i);
    metrics->cache_waits = cell(metrics, METRIC_CACHE_WAITS, 0, 0);
    metrics->connections = cell(metrics, METRIC_CONNECTIONS, 0, 0);
    metrics->log_drops = cell(metrics, METRIC_ACCESS_LOG_DROPPED, 0, 0);
}

static struct metrics_column *column_of_page(const struct metrics *metrics, size_t column)
{
    atomic_store_explicit(&metrics->page->opened[column], 1, memory_order_relaxed);
    return &metrics->page->column[column];
}

// --- life ---------------------------------------------------------------------------------------

void metrics_init(struct metrics *metrics, const struct gateway_config *config,
                  struct metrics_page *page, size_t column)
{
    *metrics = (struct metrics){.page = page, .config = config};
    metrics->routes = mem_zalloc(METRICS_BUILT_IN + config->routes.count, sizeof(*metrics->routes));
    metrics->upstreams = mem_zalloc(config->upstreams.count + 1, sizeof(*metrics->upstreams));
    if (page != NULL) {
        memcpy(metrics->key, page->key, sizeof(metrics->key));
        open_column(metrics, column_of_page(metrics, column));
    } else {
        (void)!getrandom(metrics->key, sizeof(metrics->key), 0);
        metrics->own = mem_zalloc(1, sizeof(*metrics->own));
        open_column(metrics, metrics->own);
    }
}

void metrics_fini(struct metrics *metrics)
{
    metrics_writer_fini(&metrics->writer);
    free(metrics->own);
    free(metrics->routes);
    free(metrics->upstreams);
}

void metrics_move(struct metrics *metrics, size_t column)
{
    if (metrics->page == NULL || metrics->writer.column == &metrics->page->column[column])
        return;
    metrics_writer_fini(&metrics->writer);
    open_column(metrics, column_of_page(metrics, column));
}

// --- requests -----------------------------------------------------------------------------------

void metrics_count_request(struct metrics *metrics, const struct metrics_request *request)
{
    struct metrics_route *route = &metrics->routes[request->route];
    metric_add(find_requests(metrics, route, request), 1);
    metric_add(find_duration(metrics, histogram_bucket(request->duration_us)), 1);
    metric_add(route->duration_sum, request->duration_us);
    metric_add(route->bytes, request->bytes);
}

void metrics_count_cache(struct metrics *metrics, size_t route, enum metric_cache result)
{
    metric_add(find_cache(metrics, &metrics->routes[route], result), 1);
}

void metrics_count_cache_wait(struct metrics *metrics)
{
    metric_add(metrics->cache_waits, 1);
}

void metrics_count_connection(struct metrics *metrics)
{
    metric_add(metrics->connections, 1);
}

void metrics_count_log_drops(struct metrics *metrics, uint64_t lines)
{
    metric_add(metrics->log_drops, lines);
}

static void add_cache(const struct metrics_column *column, uint64_t *hits, uint64_t *misses)
{
    *hits += metrics_column_sum_of(column, METRIC_CACHE, CACHE_HIT) +
             metrics_column_sum_of(column, METRIC_CACHE, CACHE_STALE);
    *misses += metrics_column_sum_of(column, METRIC_CACHE, CACHE_MISS);
}

void metrics_sum_cache(const struct metrics *metrics, uint64_t *hits, uint64_t *misses)
{
    *hits = *misses = 0;
    if (metrics->page == NULL)
        add_cache(metrics->own, hits, misses);
    for (size_t i = 0; metrics->page != NULL && i < STATE_COLUMNS; ++i)
        if (atomic_load_explicit(&metrics->page->opened[i], memory_order_relaxed) != 0)
            add_cache(&metrics->page->column[i], hits, misses);
}

struct span metrics_route_text(const struct metrics *metrics, size_t route)
{
    return metrics->routes[route].text;
}

// --- tries --------------------------------------------------------------------------------------

static void name_endpoint(struct metrics *metrics, struct metrics_endpoint *endpoint)
{
    if (endpoint->column == metrics->writer.column)
        return;
    *endpoint = (struct metrics_endpoint){.text = endpoint->text,
                                          .column = metrics->writer.column,
                                          .name = name_of(metrics, endpoint->text)};
    endpoint->kept_text = text_of(metrics, endpoint->name);
}

struct span metrics_endpoint_text(struct metrics *metrics, struct metrics_endpoint *endpoint)
{
    name_endpoint(metrics, endpoint);
    return endpoint->kept_text;
}

// Of an endpoint without a name the upstream's has no place either: both are one label.
static struct metric_cell *endpoint_cell(struct metrics *metrics, enum metric_family family,
                                         size_t upstream, const struct metrics_endpoint *endpoint,
                                         unsigned first)
{
    uint32_t of = endpoint->name != 0 ? metrics->upstreams[upstream].name : 0;
    struct metric_key key = {
        .name = {of, endpoint->name}, .family = (uint16_t)family, .first = (uint16_t)first};
    return metrics_writer_cell(&metrics->writer, &key);
}

void metrics_count_retry(struct metrics *metrics, size_t upstream)
{
    if (upstream != UPSTREAM_OWN)
        metric_add(metrics->upstreams[upstream].retries, 1);
}

void metrics_count_answer(struct metrics *metrics, size_t upstream,
                          struct metrics_endpoint *endpoint, unsigned status)
{
    if (upstream == UPSTREAM_OWN)
        return;
    name_endpoint(metrics, endpoint);
    if (endpoint->status != status) {
        endpoint->status = (uint16_t)status;
        endpoint->answers =
            endpoint_cell(metrics, METRIC_UPSTREAM_REQUESTS, upstream, endpoint, status);
    }
    metric_add(endpoint->answers, 1);
}

void metrics_count_failure(struct metrics *metrics, size_t upstream,
                           struct metrics_endpoint *endpoint, enum metric_failure failure)
{
    if (upstream == UPSTREAM_OWN)
        return;
    name_endpoint(metrics, endpoint);
    metric_add(endpoint_cell(metrics, METRIC_UPSTREAM_FAILURES, upstream, endpoint, failure), 1);
}

void metrics_count_try_time(struct metrics *metrics, size_t upstream, uint64_t duration_us)
{
    if (upstream == UPSTREAM_OWN)
        return;
    struct metrics_upstream *of = &metrics->upstreams[upstream];
    metric_add(find_try_time(metrics, of, histogram_bound(duration_us)), 1);
    metric_add(of->duration_sum, duration_us);
}
