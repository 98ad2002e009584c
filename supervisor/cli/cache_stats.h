// The numbers of the cache, as cachesvc tells them.
#ifndef GW_CLI_CACHE_STATS_H
#define GW_CLI_CACHE_STATS_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

enum cache_number {
    CACHE_KEYS,
    CACHE_MEMORY_USED,
    CACHE_MEMORY_LIMIT,
    CACHE_HITS, // of clients: workers of the gateway read the memory themselves
    CACHE_MISSES,
    CACHE_EXPIRED,
    CACHE_EVICTED,
    CACHE_CONNECTIONS,
    CACHE_UPTIME, // seconds
    CACHE_NUMBERS,
};

// Zero-initialise.
struct cache_stats {
    int64_t numbers[CACHE_NUMBERS];
};

// A pair of CACHE.STATS; those that are not shown are ignored.
void cache_stats_take(struct cache_stats *stats, const char *name, int64_t number);
// The text of INFO.
void cache_stats_take_info(struct cache_stats *stats, const char *text);

void cache_stats_render(const struct cache_stats *stats, struct buf *out);
// A new object (json_object_put).
struct json_object *cache_stats_json(const struct cache_stats *stats);

#endif
