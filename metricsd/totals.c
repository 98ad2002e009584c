// One walk over the series.
#include "totals.h"

#include <string.h>

static uint64_t count_of(const struct series *series, enum totals_since since)
{
    return since == TOTALS_EVER ? series->value : series_since_reset(series);
}

static uint64_t sum_family(const struct merge *merge, enum metric_family family,
                           enum totals_since since)
{
    struct series_range range = merge_family(merge, family);
    uint64_t sum = 0;
    for (size_t i = 0; i < range.count; i++)
        sum += count_of(range.items[i], since);
    return sum;
}

static void read_requests(struct totals *totals, const struct merge *merge, enum totals_since since)
{
    struct series_range range = merge_family(merge, METRIC_REQUESTS);
    for (size_t i = 0; i < range.count; i++) {
        uint64_t count = count_of(range.items[i], since);
        totals->requests += count;
        totals->by_method[range.items[i]->first] += count;
        totals->by_status[range.items[i]->second] += count;
    }
}

static void read_by_first(uint64_t *out, const struct merge *merge, enum metric_family family,
                          enum totals_since since)
{
    struct series_range range = merge_family(merge, family);
    for (size_t i = 0; i < range.count; i++)
        out[range.items[i]->first] += count_of(range.items[i], since);
}

void totals_read(struct totals *totals, const struct merge *merge, enum totals_since since)
{
    static const enum metric_family others[] = {METRIC_CACHE_WAITS, METRIC_CONNECTIONS,
                                                METRIC_ACCESS_LOG_DROPPED, METRIC_OVERFLOWS};
    memset(totals, 0, sizeof *totals);
    read_requests(totals, merge, since);
    read_by_first(totals->duration, merge, METRIC_DURATION, since);
    totals->duration_sum_us = sum_family(merge, METRIC_DURATION_SUM, since);
    read_by_first(totals->cache, merge, METRIC_CACHE, since);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        totals->other[others[i]] = sum_family(merge, others[i], since);
}

uint64_t totals_of_class(const struct totals *totals, unsigned hundred)
{
    uint64_t sum = totals->by_status[hundred];
    for (unsigned i = 0; i < 100; i++)
        sum += totals->by_status[hundred * 100 + i];
    return sum;
}

uint64_t totals_hits(const struct totals *totals)
{
    return totals->cache[CACHE_HIT] + totals->cache[CACHE_STALE];
}

double totals_hit_rate(const struct totals *totals)
{
    uint64_t hits = totals_hits(totals), all = hits + totals->cache[CACHE_MISS];
    return all == 0 ? 0 : 100.0 * (double)hits / (double)all;
}
