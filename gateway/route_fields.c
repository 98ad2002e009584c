// `cache_control` and `no_cache` of a route.
#include "route_fields.h"

#include <string.h>

#include "common/gateway_config.h"
#include "grammar.h"

static const struct field forbidding[] = {
    {{"cache-control", 13}, {"no-store, no-cache, must-revalidate, proxy-revalidate", 53}},
    {{"pragma", 6}, {"no-cache", 8}},
    {{"expires", 7}, {"0", 1}},
};

enum { FORBIDDING = sizeof(forbidding) / sizeof(*forbidding) };

static bool applies(const struct route_config *route, int status)
{
    return (route->no_cache || route->cache_control != NULL) && status >= 200 && status < 300;
}

bool route_fields_replace(const struct route_config *route, int status, struct span name)
{
    if (!applies(route, status))
        return false;
    for (size_t i = 0; i < (route->no_cache ? FORBIDDING : 1); ++i)
        if (grammar_equal(name, forbidding[i].name))
            return true;
    return false;
}

static void add(h2o_req_t *req, struct span name, struct span value)
{
    h2o_add_header_by_str(&req->pool, &req->res.headers, name.bytes, name.length, 0, NULL,
                          value.bytes, value.length);
}

void route_fields_add(h2o_req_t *req, const struct route_config *route, int status)
{
    if (!applies(route, status))
        return;
    for (size_t i = 0; route->no_cache && i < FORBIDDING; ++i)
        add(req, forbidding[i].name, forbidding[i].value);
    if (!route->no_cache)
        add(req, forbidding[0].name,
            (struct span){route->cache_control, strlen(route->cache_control)});
}
