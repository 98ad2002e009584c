// Everything that metricsd knows, from where the views take it.
#ifndef GW_METRICSD_FACTS_H
#define GW_METRICSD_FACTS_H

#include "common/metrics_page.h"
#include "endpoints.h"
#include "merge.h"
#include "processes.h"

struct ecosystem;
struct history;
struct segment_header;
struct windows;

struct facts {
    struct metrics_page *page;
    const struct state_page *state;
    const struct segment_header *segment; // of the cache; NULL: there is none
    struct merge *merge;
    struct windows *windows;
    struct history *history;
    struct processes processes;
    struct endpoints endpoints;
    struct ecosystem *ecosystem; // what is configured; NULL: not known
};

// The column that a gateway worker has in the state page; NULL: it has none, or is no worker.
const struct state_column *facts_worker(const struct facts *facts, const struct process *process);

// Requests in flight at endpoints of that name of an upstream, in all workers.
uint64_t facts_in_flight(const struct facts *facts, const struct endpoint *endpoint);

// The process of the cache; NULL: there is none.
const struct process *facts_cachesvc(const struct facts *facts);

// Whether it is online, and neither stopped nor hung, as far as its page tells. now_ms:
// clock_mono_ms.
bool facts_cache_is_up(const struct facts *facts, uint64_t now_ms);

// How the breaker before the cache's Redis is (enum breaker_state); -1: there is no Redis.
int facts_redis(const struct facts *facts);

#endif
