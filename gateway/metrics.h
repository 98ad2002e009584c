// What a worker counts: cells of its column of the metrics page (common/metrics_page.h), found once
// and kept. What is configured has its cells from the start, so that it is 0 and not unknown.
#ifndef GW_GATEWAY_METRICS_H
#define GW_GATEWAY_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "common/histogram.h"
#include "common/metrics_writer.h"
#include "span.h"

struct gateway_config;
struct metrics_route;
struct metrics_upstream;

// Routes are counted by number: these, then METRICS_BUILT_IN + the index of the configuration's.
enum { METRICS_UNMATCHED, METRICS_HEALTH, METRICS_MONITORING, METRICS_BUILT_IN };

// An upstream is known by its index in the configuration. One that is not in it is not counted.
#define UPSTREAM_OWN SIZE_MAX

struct metrics {
    struct metrics_writer writer;
    struct metrics_page *page;  // borrowed; NULL: there is none, and nobody reads
    struct metrics_column *own; // then
    uint8_t key[METRICS_KEY_SIZE];
    const struct gateway_config *config;
    struct metrics_route *routes; // by number
    struct metrics_upstream *upstreams;
    struct metric_cell *cache_waits, *connections, *log_drops;
    struct metric_cell *durations[HISTOGRAM_BUCKETS]; // NULL: not yet
};

// Of an endpoint, in it: give it its text, the rest is zero. It knows of which column it is, so
// that a move makes it begin anew.
struct metrics_endpoint {
    const char *text; // borrowed
    const struct metrics_column *column;
    uint32_t name;
    struct span kept_text; // that name
    uint16_t status;       // of `answers`
    struct metric_cell *answers;
};

// An answer, given or not.
struct metrics_request {
    size_t route; // its number
    enum metric_method method;
    unsigned status;
    uint64_t duration_us;
    uint64_t bytes; // of its body
};

// Counts in a column of the page, or with NULL in one of its own. The configuration is borrowed.
void metrics_init(struct metrics *metrics, const struct gateway_config *config,
                  struct metrics_page *page, size_t column);
void metrics_fini(struct metrics *metrics);

// Counts in another column of the page from now on; what was counted stays where it is.
void metrics_move(struct metrics *metrics, size_t column);

void metrics_count_request(struct metrics *metrics, const struct metrics_request *request);
void metrics_count_cache(struct metrics *metrics, size_t route, enum metric_cache result);
void metrics_count_cache_wait(struct metrics *metrics);
void metrics_count_connection(struct metrics *metrics);
void metrics_count_log_drops(struct metrics *metrics, uint64_t lines);

// What all workers' caches did so far; what is stale is a hit.
void metrics_sum_cache(const struct metrics *metrics, uint64_t *hits, uint64_t *misses);

// What a route is called; empty when there was no place for it. As long as there is a worker.
struct span metrics_route_text(const struct metrics *metrics, size_t route);

// The endpoint's text as it stands in the column: there until metrics_fini, whatever becomes of the
// endpoint. Empty when there was no place for it.
struct span metrics_endpoint_text(struct metrics *metrics, struct metrics_endpoint *endpoint);

// Tries. How long the upstream had a request counts whether it answered or not.
void metrics_count_retry(struct metrics *metrics, size_t upstream);
void metrics_count_answer(struct metrics *metrics, size_t upstream,
                          struct metrics_endpoint *endpoint, unsigned status);
void metrics_count_failure(struct metrics *metrics, size_t upstream,
                           struct metrics_endpoint *endpoint, enum metric_failure failure);
void metrics_count_try_time(struct metrics *metrics, size_t upstream, uint64_t duration_us);

#endif
