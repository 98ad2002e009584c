// The endpoints of upstreams, as the supervisor pushes them. Pure.
#ifndef GW_METRICSD_ENDPOINTS_H
#define GW_METRICSD_ENDPOINTS_H

#include <stddef.h>

#include "common/err.h"

struct json_object;

struct endpoint {
    char *upstream, *name;
    size_t index; // in the state page
};

// Zero-initialise. Sorted by upstream, then name: a reload has two of one name for a while.
struct endpoints {
    struct endpoint *items;
    size_t count;
};

// Takes a new set over ({"upstreams": {...}}). On -1 nothing changed.
int endpoints_set(struct endpoints *endpoints, struct json_object *set,
                  struct err *err) GW_MUST_USE;
void endpoints_clear(struct endpoints *endpoints);

size_t endpoints_count(const struct endpoints *endpoints, const char *upstream);

#endif
