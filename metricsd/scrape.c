// Family by family, in the order of the table. All that is counted of requests, as a number or as a
// histogram, is sums of the same cells at one look, so it agrees within a scrape.
//
// A series is written once: merged ones are unique, processes and endpoints are made so here or
// where they are read.
#include "scrape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/ecosystem.h"
#include "common/histogram.h"
#include "common/segment.h"
#include "common/state_page.h"
#include "totals.h"
#include "windows.h"

enum { ID_SIZE = 24, CODE_SIZE = 8, QUANTILES_MS = 60 * 1000 };

// A status, or "5xx" for the hundreds of what found no place.
static const char *code_text(unsigned status, char out[CODE_SIZE])
{
    snprintf(out, CODE_SIZE, status < 10 ? "%uxx" : "%u", status);
    return out;
}

// --- all requests -------------------------------------------------------------------------------

static void write_duration(struct exposition *out, const struct facts *facts,
                           const struct totals *totals, uint64_t now_ms)
{
    static const struct {
        const char *text;
        double share;
    } quantiles[] = {{"0.5", 0.5}, {"0.95", 0.95}, {"0.99", 0.99}};
    struct window window;
    windows_read(facts->windows, totals, now_ms, QUANTILES_MS, &window);
    bool is_empty = histogram_count(window.duration) == 0;
    exposition_family(out, HTTP_DURATION);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        exposition_quantile(
            out, quantiles[i].text,
            is_empty ? NAN : histogram_quantile_us(window.duration, quantiles[i].share) / 1000000);
    exposition_sum(out, NULL, totals->duration_sum_us);
    exposition_count(out, NULL, totals->requests);
}

// Some are there from the beginning, so that a first 500 is a rise from 0.
static bool is_always_there(unsigned status)
{
    static const unsigned always[] = {200, 404, 500, 502, 503, 504};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (always[i] == status)
            return true;
    return false;
}

static void write_by_status(struct exposition *out, const struct totals *totals)
{
    char text[CODE_SIZE];
    exposition_family(out, HTTP_BY_STATUS);
    for (unsigned status = 0; status < TOTALS_STATUSES; status++) {
        const char *values[] = {code_text(status, text)};
        if (totals->by_status[status] > 0 || is_always_there(status))
            exposition_integer(out, values, totals->by_status[status]);
    }
}

static void write_total(struct exposition *out, enum family_id id, uint64_t number)
{
    exposition_family(out, id);
    exposition_integer(out, NULL, number);
}

// --- series of the columns ----------------------------------------------------------------------

static bool is_same_answer(const struct series *one, const struct series *other)
{
    return one->label[0] == other->label[0] && one->first == other->first &&
           one->second == other->second;
}

// However long they took: those are beside each other.
static void write_route_requests(struct exposition *out, const struct merge *merge)
{
    struct series_range range = merge_family(merge, METRIC_REQUESTS);
    char text[CODE_SIZE];
    exposition_family(out, ROUTE_REQUESTS);
    for (size_t i = 0; i < range.count;) {
        const struct series *first = range.items[i];
        const char *values[] = {first->label[0], metric_method_name(first->first),
                                code_text(first->second, text)};
        uint64_t count = 0;
        for (; i < range.count && is_same_answer(first, range.items[i]); i++)
            count += range.items[i]->value;
        exposition_integer(out, values, count);
    }
}

static void write_upstream_requests(struct exposition *out, const struct merge *merge)
{
    struct series_range range = merge_family(merge, METRIC_UPSTREAM_REQUESTS);
    char text[CODE_SIZE];
    exposition_family(out, UPSTREAM_REQUESTS);
    for (size_t i = 0; i < range.count; i++) {
        const struct series *series = range.items[i];
        const char *values[] = {series->label[0], series->label[1], code_text(series->first, text)};
        exposition_integer(out, values, series->value);
    }
}

static void write_failures(struct exposition *out, const struct merge *merge)
{
    struct series_range range = merge_family(merge, METRIC_UPSTREAM_FAILURES);
    exposition_family(out, UPSTREAM_FAILURES);
    for (size_t i = 0; i < range.count; i++) {
        const struct series *series = range.items[i];
        const char *values[] = {series->label[0], series->label[1],
                                metric_failure_name(series->first)};
        exposition_integer(out, values, series->value);
    }
}

static void write_cache_requests(struct exposition *out, const struct merge *merge)
{
    struct series_range range = merge_family(merge, METRIC_CACHE);
    exposition_family(out, CACHE_REQUESTS);
    for (size_t i = 0; i < range.count; i++) {
        const struct series *series = range.items[i];
        const char *values[] = {series->label[0], metric_cache_name(series->first)};
        exposition_integer(out, values, series->value);
    }
}

// Of a family with one label and nothing else.
static void write_by_label(struct exposition *out, enum family_id id, const struct merge *merge,
                           enum metric_family family)
{
    struct series_range range = merge_family(merge, family);
    exposition_family(out, id);
    for (size_t i = 0; i < range.count; i++)
        exposition_integer(out, &range.items[i]->label[0], range.items[i]->value);
}

static const char *label_at(struct series_range range, size_t at)
{
    return at < range.count ? range.items[at]->label[0] : NULL;
}

static const char *first_of(const char *one, const char *other)
{
    if (!one || !other)
        return one ? one : other;
    return strcmp(one, other) <= 0 ? one : other;
}

static void write_histogram(struct exposition *out, const char *label, const uint64_t *counts,
                            uint64_t sum_us)
{
    const char *values[] = {label};
    exposition_buckets(out, values, counts);
    exposition_sum(out, values, sum_us);
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++)
        count += counts[i];
    exposition_count(out, values, count);
}

// What is counted by bound, and sums, are both sorted by label. A label that has only a sum is one
// of the configuration that nothing was counted for yet.
static void write_histograms(struct exposition *out, enum family_id id, const struct merge *merge,
                             enum metric_family counted_family, enum metric_family sum_family)
{
    struct series_range counted = merge_family(merge, counted_family);
    struct series_range sums = merge_family(merge, sum_family);
    size_t at = 0, sum = 0;
    exposition_family(out, id);
    while (at < counted.count || sum < sums.count) {
        const char *label = first_of(label_at(counted, at), label_at(sums, sum));
        uint64_t counts[HISTOGRAM_BOUNDS] = {0}, sum_us = 0;
        for (; label_at(counted, at) == label; at++)
            counts[counted.items[at]->bound] += counted.items[at]->value;
        if (label_at(sums, sum) == label)
            sum_us = sums.items[sum++]->value;
        write_histogram(out, label, counts, sum_us);
    }
}

// --- gauges -------------------------------------------------------------------------------------

static void write_endpoint_counts(struct exposition *out, const struct facts *facts)
{
    exposition_family(out, UPSTREAM_ENDPOINTS);
    if (!facts->ecosystem || !facts->ecosystem->gateway)
        return;
    const struct key_array *upstreams = &facts->ecosystem->gateway->upstreams;
    const struct upstream_config *items = upstreams->items;
    for (size_t i = 0; i < upstreams->count; i++) {
        const char *values[] = {items[i].name};
        exposition_integer(out, values,
                           items[i].app ? endpoints_count(&facts->endpoints, items[i].name)
                                        : items[i].servers.count);
    }
}

static bool is_same_endpoint(const struct endpoint *one, const struct endpoint *other)
{
    return strcmp(one->upstream, other->upstream) == 0 && strcmp(one->name, other->name) == 0;
}

static void write_in_flight(struct exposition *out, const struct facts *facts)
{
    const struct endpoints *endpoints = &facts->endpoints;
    exposition_family(out, UPSTREAM_IN_FLIGHT);
    for (size_t i = 0; i < endpoints->count;) {
        const struct endpoint *first = &endpoints->items[i];
        const char *values[] = {first->upstream, first->name};
        uint64_t in_flight = 0;
        for (; i < endpoints->count && is_same_endpoint(first, &endpoints->items[i]); i++)
            in_flight += facts_in_flight(facts, &endpoints->items[i]);
        exposition_integer(out, values, in_flight);
    }
}

static void write_breakers(struct exposition *out, const struct facts *facts)
{
    const char *values[] = {"redis"};
    int state = facts_redis(facts);
    exposition_family(out, BREAKER_STATE);
    if (state != -1)
        exposition_integer(out, values, (uint64_t)state);
}

static void write_cache(struct exposition *out, const struct facts *facts, uint64_t now_ms)
{
    const struct segment_header *segment = facts->segment;
    if (facts_cachesvc(facts))
        write_total(out, CACHE_UP, facts_cache_is_up(facts, now_ms));
    if (!segment)
        return;
    write_total(out, CACHE_ITEMS, segment->items);
    write_total(out, CACHE_USED,
                segment->free_bytes < segment->size ? segment->size - segment->free_bytes : 0);
    write_total(out, CACHE_SIZE, segment->size);
}

// Writes the family's sample of one worker.
typedef void write_worker(struct exposition *out, const struct state_column *column,
                          const char *const *values);

static void write_connections(struct exposition *out, const struct state_column *column,
                              const char *const *values)
{
    exposition_integer(out, values,
                       atomic_load_explicit(&column->connections, memory_order_relaxed));
}

static void write_requests(struct exposition *out, const struct state_column *column,
                           const char *const *values)
{
    exposition_integer(out, values, atomic_load_explicit(&column->in_flight, memory_order_relaxed));
}

static void write_loop_lag(struct exposition *out, const struct state_column *column,
                           const char *const *values)
{
    exposition_seconds(out, values,
                       atomic_load_explicit(&column->loop_lag_us, memory_order_relaxed));
}

static void write_workers(struct exposition *out, const struct facts *facts, enum family_id id,
                          write_worker *write)
{
    exposition_family(out, id);
    for (size_t i = 0; i < facts->processes.count; i++) {
        const struct process *process = &facts->processes.items[i];
        const struct state_column *column = facts_worker(facts, process);
        char text[ID_SIZE];
        const char *values[] = {text};
        snprintf(text, sizeof text, "%lld", (long long)process->id);
        if (column)
            write(out, column, values);
    }
}

// --- processes ----------------------------------------------------------------------------------

// Writes samples of one process in the exposition's family. values: app, id, and a free place.
typedef void write_process(struct exposition *out, const struct process *process,
                           const char **values);

static void write_cpu(struct exposition *out, const struct process *process, const char **values)
{
    if (process->is_sampled)
        exposition_seconds(out, values, process->sample.cpu_us);
}

static void write_pss(struct exposition *out, const struct process *process, const char **values)
{
    if (process->is_sampled && process->sample.has_pss)
        exposition_integer(out, values, process->sample.pss_bytes);
}

static void write_rss(struct exposition *out, const struct process *process, const char **values)
{
    if (process->is_sampled)
        exposition_integer(out, values, process->sample.rss_bytes);
}

static void write_fds(struct exposition *out, const struct process *process, const char **values)
{
    if (process->is_sampled && process->sample.has_fds)
        exposition_integer(out, values, process->sample.fds);
}

static void write_start(struct exposition *out, const struct process *process, const char **values)
{
    if (process->started_ms != 0)
        exposition_seconds(out, values, process->started_ms * 1000);
}

static void write_restarts(struct exposition *out, const struct process *process,
                           const char **values)
{
    for (size_t i = 0; i < process->restart_count; i++) {
        values[2] = process->restarts[i].reason;
        exposition_integer(out, values, process->restarts[i].count);
    }
}

static void write_state(struct exposition *out, const struct process *process, const char **values)
{
    static const char *const states[] = {"launching", "online",          "stopping",
                                         "stopped",   "waiting restart", "errored"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        values[2] = states[i];
        exposition_integer(out, values, strcmp(states[i], process->state) == 0);
    }
}

static void write_memory_limit(struct exposition *out, const struct process *process,
                               const char **values)
{
    if (process->memory_limit_bytes > 0)
        exposition_integer(out, values, process->memory_limit_bytes);
}

static void write_log_lost(struct exposition *out, const struct process *process,
                           const char **values)
{
    exposition_integer(out, values, process->log_lines_lost);
}

static void write_processes(struct exposition *out, const struct processes *processes)
{
    static const struct {
        enum family_id id;
        write_process *write;
    } rows[] = {{PROCESS_CPU, write_cpu},
                {PROCESS_PSS, write_pss},
                {PROCESS_RSS, write_rss},
                {PROCESS_FDS, write_fds},
                {PROCESS_START, write_start},
                {PROCESS_RESTARTS, write_restarts},
                {PROCESS_STATE, write_state},
                {PROCESS_LOG_LOST, write_log_lost},
                {PROCESS_MEMORY_LIMIT, write_memory_limit}};
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        exposition_family(out, rows[row].id);
        for (size_t i = 0; i < processes->count; i++) {
            char id[ID_SIZE];
            const char *values[] = {processes->items[i].app, id, NULL};
            snprintf(id, sizeof id, "%lld", (long long)processes->items[i].id);
            rows[row].write(out, &processes->items[i], values);
        }
    }
}

// --- all of it ----------------------------------------------------------------------------------

static void write_all_requests(struct exposition *out, const struct facts *facts,
                               const struct totals *totals, uint64_t now_ms)
{
    write_total(out, HTTP_REQUESTS, totals->requests);
    write_duration(out, facts, totals, now_ms);
    write_by_status(out, totals);
    exposition_family(out, CACHE_HIT_RATE);
    exposition_number(out, NULL, totals_hit_rate(totals));
    write_breakers(out, facts);
}

static void write_gateway(struct exposition *out, const struct facts *facts)
{
    const struct merge *merge = facts->merge;
    write_route_requests(out, merge);
    write_histograms(out, ROUTE_DURATION, merge, METRIC_REQUESTS, METRIC_DURATION_SUM);
    write_by_label(out, ROUTE_BYTES, merge, METRIC_RESPONSE_BYTES);
    write_upstream_requests(out, merge);
    write_histograms(out, UPSTREAM_DURATION, merge, METRIC_UPSTREAM_DURATION,
                     METRIC_UPSTREAM_DURATION_SUM);
    write_failures(out, merge);
    write_by_label(out, UPSTREAM_RETRIES, merge, METRIC_RETRIES);
    write_endpoint_counts(out, facts);
    write_in_flight(out, facts);
    write_cache_requests(out, merge);
}

void scrape_write(const struct facts *facts, uint64_t now_ms, enum exposition_format format,
                  struct buf *buf)
{
    static const char *const version[] = {GWCTL_VERSION};
    struct exposition out;
    struct totals totals;
    totals_read(&totals, facts->merge, TOTALS_EVER);
    exposition_begin(&out, buf, format);
    write_all_requests(&out, facts, &totals, now_ms);
    write_gateway(&out, facts);
    write_total(&out, CACHE_WAITS, totals.other[METRIC_CACHE_WAITS]);
    write_cache(&out, facts, now_ms);
    write_workers(&out, facts, CONNECTIONS_ACTIVE, write_connections);
    write_workers(&out, facts, REQUESTS_IN_FLIGHT, write_requests);
    write_workers(&out, facts, LOOP_LAG, write_loop_lag);
    write_total(&out, CONNECTIONS, totals.other[METRIC_CONNECTIONS]);
    write_total(&out, LOG_DROPPED, totals.other[METRIC_ACCESS_LOG_DROPPED]);
    write_total(&out, SERIES_OVERFLOWS, totals.other[METRIC_OVERFLOWS]);
    write_processes(&out, &facts->processes);
    exposition_family(&out, BUILD_INFO);
    exposition_integer(&out, version, 1);
    exposition_end(&out);
}
