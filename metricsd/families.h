// What /api/monitoring/metrics exports: one row a family.
#ifndef GW_METRICSD_FAMILIES_H
#define GW_METRICSD_FAMILIES_H

enum family_kind {
    FAMILY_COUNTER, // the name ends in _total
    FAMILY_GAUGE,
    FAMILY_SUMMARY,
    FAMILY_HISTOGRAM,
    FAMILY_UNKNOWN, // a count whose name a counter must not have
};

enum { FAMILY_LABELS = 3 };

struct family {
    const char *name;
    enum family_kind kind;
    const char *help;
    const char *unit;                  // the name ends in it (_total aside); NULL: none
    const char *labels[FAMILY_LABELS]; // NULL: no more
};

enum family_id {
    HTTP_REQUESTS,
    HTTP_DURATION,
    HTTP_BY_STATUS,
    CACHE_HIT_RATE,
    BREAKER_STATE,
    ROUTE_REQUESTS,
    ROUTE_DURATION,
    ROUTE_BYTES,
    UPSTREAM_REQUESTS,
    UPSTREAM_DURATION,
    UPSTREAM_FAILURES,
    UPSTREAM_RETRIES,
    UPSTREAM_ENDPOINTS,
    UPSTREAM_IN_FLIGHT,
    CACHE_REQUESTS,
    CACHE_WAITS,
    CACHE_UP,
    CACHE_ITEMS,
    CACHE_USED,
    CACHE_SIZE,
    CONNECTIONS_ACTIVE,
    REQUESTS_IN_FLIGHT,
    LOOP_LAG,
    CONNECTIONS,
    LOG_DROPPED,
    SERIES_OVERFLOWS,
    PROCESS_CPU,
    PROCESS_PSS,
    PROCESS_RSS,
    PROCESS_MEMORY_LIMIT,
    PROCESS_FDS,
    PROCESS_START,
    PROCESS_RESTARTS,
    PROCESS_STATE,
    PROCESS_LOG_LOST,
    BUILD_INFO,
    FAMILIES
};

extern const struct family families[FAMILIES];

#endif
