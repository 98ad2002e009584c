// /stats and /performance: names, types and forms of numbers are fixed, since programs read them:
// "4.23" and "0.29%" are strings, durations are whole milliseconds.
#include "views.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/breaker.h"
#include "common/histogram.h"
#include "common/segment.h"
#include "totals.h"
#include "windows.h"

enum { TEXT_SIZE = 48 };

// --- numbers ------------------------------------------------------------------------------------

static void add(struct json_object *object, const char *key, struct json_object *value)
{
    json_object_object_add(object, key, value);
}

static void add_count(struct json_object *object, const char *key, uint64_t count)
{
    add(object, key, json_object_new_uint64(count));
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
    add(object, key, json_object_new_string(text));
}

// In whole milliseconds.
static void add_duration(struct json_object *object, const char *key, double us)
{
    add_count(object, key, (uint64_t)(us / 1000 + 0.5));
}

static void add_percent(struct json_object *object, const char *key, double percent)
{
    char text[TEXT_SIZE];
    snprintf(text, sizeof text, "%.2f%%", percent);
    add_text(object, key, text);
}

static void add_rate(struct json_object *object, const char *key, uint64_t count, uint64_t ms)
{
    char text[TEXT_SIZE];
    snprintf(text, sizeof text, "%.2f", ms == 0 ? 0 : (double)count * 1000 / (double)ms);
    add_text(object, key, text);
}

static double share(uint64_t part, uint64_t all)
{
    return all == 0 ? 0 : 100.0 * (double)part / (double)all;
}

static void format_uptime(uint64_t ms, char out[TEXT_SIZE])
{
    unsigned long long minutes = ms / 60000;
    snprintf(out, TEXT_SIZE, "%lluh %llum", minutes / 60, minutes % 60);
}

static uint64_t elapsed(uint64_t now_ms, uint64_t since_ms)
{
    return now_ms > since_ms ? now_ms - since_ms : 0;
}

uint64_t view_since_ms(const struct facts *facts)
{
    uint32_t number = atomic_load_explicit(&facts->page->baseline, memory_order_acquire);
    return number == 0 || number > METRICS_BASELINES ? facts->page->created_ms
                                                     : facts->page->baseline_ms[number - 1];
}

// --- parts --------------------------------------------------------------------------------------

static void add_quantiles(struct json_object *object, const uint64_t *counts)
{
    add_duration(object, "p50", histogram_quantile_us(counts, 0.5));
    add_duration(object, "p95", histogram_quantile_us(counts, 0.95));
    add_duration(object, "p99", histogram_quantile_us(counts, 0.99));
}

static void add_average(struct json_object *object, const struct totals *totals)
{
    uint64_t count = totals->requests;
    add_duration(object, "average",
                 count == 0 ? 0 : (double)totals->duration_sum_us / (double)count);
}

// The bounds of the outermost buckets with something in them.
static void add_extremes(struct json_object *object, const struct totals *totals)
{
    unsigned first = 0, last = HISTOGRAM_BUCKETS - 1;
    while (first < last && totals->duration[first] == 0)
        first++;
    while (last > first && totals->duration[last] == 0)
        last--;
    bool is_empty = totals->duration[last] == 0;
    uint64_t longest_us = histogram_upper_us(last);
    if (longest_us == UINT64_MAX)
        longest_us = histogram_lower_us(last);
    add_duration(object, "min", is_empty ? 0 : (double)histogram_lower_us(first));
    add_duration(object, "max", is_empty ? 0 : (double)longest_us);
}

static struct json_object *describe_window(const struct facts *facts, const struct totals *ever,
                                           struct moment now, uint64_t length_ms)
{
    struct json_object *object = json_object_new_object();
    struct window window;
    windows_read(facts->windows, ever, now.mono_ms, length_ms, &window);
    add_count(object, "requests", window.requests);
    add_rate(object, "requestsPerSecond", window.requests, window.length_ms);
    add_percent(object, "errorRate", share(window.errors, window.requests));
    add_quantiles(object, window.duration);
    return object;
}

// The last minutes as they were, whatever was reset.
static void add_windows(struct json_object *document, const struct facts *facts, struct moment now)
{
    struct json_object *windows = json_object_new_object();
    struct totals ever;
    totals_read(&ever, facts->merge, TOTALS_EVER);
    add(windows, "1m", describe_window(facts, &ever, now, 60 * 1000));
    add(windows, "5m", describe_window(facts, &ever, now, 300 * 1000));
    add(windows, "15m", describe_window(facts, &ever, now, 900 * 1000));
    add(document, "window", windows);
}

void view_write(struct json_object *document, struct buf *out)
{
    buf_append_text(out, json_object_to_json_string_ext(
                             document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    buf_append_text(out, "\n");
    json_object_put(document);
}

const char *view_parameter(const char *query, const char *name, size_t *length)
{
    size_t name_length = strlen(name);
    while (*query != '\0') {
        size_t part = strcspn(query, "&");
        if (part > name_length && query[name_length] == '=' &&
            memcmp(query, name, name_length) == 0) {
            *length = part - name_length - 1;
            return query + name_length + 1;
        }
        query += part + (query[part] == '&');
    }
    return NULL;
}

// --- /stats -------------------------------------------------------------------------------------

static struct json_object *describe_methods(const struct totals *totals)
{
    struct json_object *object = json_object_new_object();
    for (unsigned i = 0; i < METHOD_COUNT; i++)
        if (totals->by_method[i] > 0)
            add_count(object, metric_method_name(i), totals->by_method[i]);
    return object;
}

static struct json_object *describe_statuses(const struct totals *totals)
{
    struct json_object *object = json_object_new_object();
    for (unsigned i = 0; i < TOTALS_STATUSES; i++) {
        char text[TEXT_SIZE];
        snprintf(text, sizeof text, i < 10 ? "%uxx" : "%u", i);
        if (totals->by_status[i] > 0)
            add_count(object, text, totals->by_status[i]);
    }
    return object;
}

static struct json_object *describe_requests(const struct facts *facts, const struct totals *totals)
{
    struct json_object *object = json_object_new_object();
    add_count(object, "total", totals->requests);
    add(object, "byMethod", describe_methods(totals));
    add(object, "byStatusCode", describe_statuses(totals));
    add(object, "topRoutes", routes_top(facts));
    return object;
}

static struct json_object *describe_times(const struct totals *totals)
{
    struct json_object *object = json_object_new_object();
    add_average(object, totals);
    add_extremes(object, totals);
    add_quantiles(object, totals->duration);
    add_text(object, "unit", "ms");
    return object;
}

static struct json_object *describe_cache(const struct facts *facts, const struct totals *totals,
                                          uint64_t now_ms)
{
    struct json_object *object = json_object_new_object(), *stats = json_object_new_object();
    add(object, "healthy", json_object_new_boolean(facts_cache_is_up(facts, now_ms)));
    add_count(object, "keys", facts->segment ? facts->segment->items : 0);
    add_count(stats, "hits", totals_hits(totals));
    add_count(stats, "misses", totals->cache[CACHE_MISS]);
    add_percent(stats, "hitRate", totals_hit_rate(totals));
    add(object, "stats", stats);
    return object;
}

// What it has counted is cachesvc's own: only its state is in the shared memory.
static struct json_object *describe_breakers(const struct facts *facts)
{
    static const char *const states[] = {
        [BREAKER_CLOSED] = "CLOSED", [BREAKER_HALF_OPEN] = "HALF_OPEN", [BREAKER_OPEN] = "OPEN"};
    struct json_object *breakers = json_object_new_object();
    int state = facts_redis(facts);
    if (state == -1)
        return breakers;
    struct json_object *redis = json_object_new_object(), *stats = json_object_new_object();
    add_text(redis, "state", states[state]);
    add(stats, "totalRequests", NULL);
    add(stats, "successRate", NULL);
    add(redis, "stats", stats);
    add(breakers, "redis", redis);
    return breakers;
}

static struct json_object *describe_uptime(const struct facts *facts, struct moment now)
{
    struct json_object *object = json_object_new_object();
    uint64_t uptime_ms = elapsed(now.wall_ms, facts->page->created_ms);
    char text[TEXT_SIZE];
    format_uptime(uptime_ms, text);
    add_count(object, "milliseconds", uptime_ms);
    add_text(object, "formatted", text);
    return object;
}

void view_stats(const struct facts *facts, struct moment now, struct buf *out)
{
    struct json_object *document = json_object_new_object();
    struct totals totals;
    totals_read(&totals, facts->merge, TOTALS_SINCE_RESET);
    add(document, "uptime", describe_uptime(facts, now));
    add(document, "requests", describe_requests(facts, &totals));
    add(document, "responseTime", describe_times(&totals));
    add(document, "cache", describe_cache(facts, &totals, now.mono_ms));
    add(document, "circuitBreakers", describe_breakers(facts));
    add_windows(document, facts, now);
    view_write(document, out);
}

// --- /performance -------------------------------------------------------------------------------

static struct json_object *describe_throughput(const struct facts *facts,
                                               const struct totals *totals, struct moment now)
{
    struct json_object *object = json_object_new_object();
    char text[TEXT_SIZE];
    format_uptime(elapsed(now.wall_ms, facts->page->created_ms), text);
    add_rate(object, "requestsPerSecond", totals->requests,
             elapsed(now.wall_ms, view_since_ms(facts)));
    add_count(object, "totalRequests", totals->requests);
    add_text(object, "uptime", text);
    return object;
}

static struct json_object *describe_latency(const struct totals *totals)
{
    struct json_object *object = json_object_new_object();
    add_average(object, totals);
    add_quantiles(object, totals->duration);
    add_text(object, "unit", "ms");
    return object;
}

static struct json_object *describe_reliability(const struct totals *totals)
{
    struct json_object *object = json_object_new_object();
    uint64_t errors = totals_of_class(totals, 5);
    add_percent(object, "errorRate", share(errors, totals->requests));
    add_percent(object, "successRate", 100 - share(errors, totals->requests));
    add_count(object, "errorCount", errors);
    add_count(object, "successCount", totals->requests - errors);
    return object;
}

void view_performance(const struct facts *facts, struct moment now, struct buf *out)
{
    struct json_object *document = json_object_new_object();
    struct totals totals;
    totals_read(&totals, facts->merge, TOTALS_SINCE_RESET);
    add(document, "throughput", describe_throughput(facts, &totals, now));
    add(document, "latency", describe_latency(&totals));
    add(document, "reliability", describe_reliability(&totals));
    add(document, "slowestRoutes", routes_slowest(facts));
    add_windows(document, facts, now);
    view_write(document, out);
}
