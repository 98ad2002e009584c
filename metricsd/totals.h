// Sums over all routes. From one look at the page, so they agree with each other. Pure.
#ifndef GW_METRICSD_TOTALS_H
#define GW_METRICSD_TOTALS_H

#include "common/histogram.h"
#include "merge.h"

enum { TOTALS_STATUSES = 1000 };

struct totals {
    uint64_t requests;
    uint64_t by_method[METHOD_COUNT];
    uint64_t by_status[TOTALS_STATUSES]; // 1 to 5: hundreds, of requests that found no place
    uint64_t duration[HISTOGRAM_BUCKETS];
    uint64_t duration_sum_us;
    uint64_t cache[CACHE_COUNT];
    uint64_t other[METRIC_FAMILIES]; // of families without labels
};

enum totals_since { TOTALS_EVER, TOTALS_SINCE_RESET };

void totals_read(struct totals *totals, const struct merge *merge, enum totals_since since);

// Answers of a hundred: 4 or 5.
uint64_t totals_of_class(const struct totals *totals, unsigned hundred);

// Of the requests that the cache could have answered, those that it did, in percent: 0 to 100.
double totals_hit_rate(const struct totals *totals);

uint64_t totals_hits(const struct totals *totals); // also stale ones

#endif
