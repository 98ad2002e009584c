// One row a number: what cachesvc calls it, what we call it.

#include "cache_stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/printable.h"

// Each comes from one of the two replies.
static const struct row {
    const char *in_stats; // CACHE.STATS
    const char *in_info;  // INFO
    const char *json;
} rows[CACHE_NUMBERS] = {
    [CACHE_KEYS] = {"keys", NULL, "keys"},
    [CACHE_MEMORY_USED] = {NULL, "used_memory", "memory_used"},
    [CACHE_MEMORY_LIMIT] = {NULL, "maxmemory", "memory_limit"},
    [CACHE_HITS] = {"hits", NULL, "client_hits"},
    [CACHE_MISSES] = {"misses", NULL, "client_misses"},
    [CACHE_EXPIRED] = {NULL, "expired_keys", "expired"},
    [CACHE_EVICTED] = {NULL, "evicted_keys", "evicted"},
    [CACHE_CONNECTIONS] = {"connections", NULL, "connections"},
    [CACHE_UPTIME] = {"uptime", NULL, "uptime_seconds"},
};

void cache_stats_take(struct cache_stats *stats, const char *name, int64_t number)
{
    for (size_t i = 0; i < CACHE_NUMBERS; i++) {
        if (rows[i].in_stats && strcmp(rows[i].in_stats, name) == 0)
            stats->numbers[i] = number;
    }
}

static void take_info_line(struct cache_stats *stats, const char *line, size_t length)
{
    for (size_t i = 0; i < CACHE_NUMBERS; i++) {
        size_t name = rows[i].in_info ? strlen(rows[i].in_info) : 0;
        if (name > 0 && length > name && line[name] == ':' &&
            memcmp(line, rows[i].in_info, name) == 0)
            stats->numbers[i] = strtoll(line + name + 1, NULL, 10);
    }
}

void cache_stats_take_info(struct cache_stats *stats, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\r\n");
        take_info_line(stats, text, length);
        text += length;
        text += strspn(text, "\r\n");
    }
}

// "92.84"; "" when nothing was asked for.
static void format_rate(const struct cache_stats *stats, char *text, size_t size)
{
    int64_t hits = stats->numbers[CACHE_HITS], reads = hits + stats->numbers[CACHE_MISSES];
    *text = '\0';
    if (reads > 0)
        snprintf(text, size, "%.2f", 100.0 * (double)hits / (double)reads);
}

static void line(struct buf *out, const char *label, int64_t number)
{
    buf_printf(out, "%-16s %lld\n", label, (long long)number);
}

static void line_memory(const struct cache_stats *stats, struct buf *out)
{
    buf_printf(out, "%-16s ", "memory");
    printable_size(out, (unsigned long long)stats->numbers[CACHE_MEMORY_USED]);
    buf_append_text(out, " of ");
    printable_size(out, (unsigned long long)stats->numbers[CACHE_MEMORY_LIMIT]);
    buf_append_text(out, "\n");
}

void cache_stats_render(const struct cache_stats *stats, struct buf *out)
{
    char rate[16], uptime[32];
    format_rate(stats, rate, sizeof rate);
    clock_format_duration((uint64_t)stats->numbers[CACHE_UPTIME] * 1000, uptime, sizeof uptime);
    line(out, "keys", stats->numbers[CACHE_KEYS]);
    line_memory(stats, out);
    line(out, "client hits", stats->numbers[CACHE_HITS]);
    line(out, "client misses", stats->numbers[CACHE_MISSES]);
    buf_printf(out, "%-16s %s%s\n", "client hit rate", *rate ? rate : "-", *rate ? "%" : "");
    line(out, "expired", stats->numbers[CACHE_EXPIRED]);
    line(out, "evicted", stats->numbers[CACHE_EVICTED]);
    line(out, "connections", stats->numbers[CACHE_CONNECTIONS]);
    buf_printf(out, "%-16s %s\n", "uptime", uptime);
}

struct json_object *cache_stats_json(const struct cache_stats *stats)
{
    char rate[16];
    struct json_object *object = json_object_new_object();
    for (size_t i = 0; i < CACHE_NUMBERS; i++)
        json_object_object_add(object, rows[i].json, json_object_new_int64(stats->numbers[i]));
    format_rate(stats, rate, sizeof rate);
    json_object_object_add(object, "client_hit_rate_percent",
                           *rate ? json_object_new_double_s(strtod(rate, NULL), rate) : NULL);
    return object;
}
