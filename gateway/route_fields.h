// What a route says to caches further out: fields in place of the upstream's, in answers of
// success.
#ifndef GW_GATEWAY_ROUTE_FIELDS_H
#define GW_GATEWAY_ROUTE_FIELDS_H

#include <h2o.h>
#include <stdbool.h>

#include "span.h"

struct route_config;

// Is a field of that name left out, because the route has its own?
bool route_fields_replace(const struct route_config *route, int status, struct span name);

// Adds the route's own to the answer.
void route_fields_add(h2o_req_t *req, const struct route_config *route, int status);

#endif
