// Which route a path takes: an exact one first, then the longest prefix.
#ifndef GW_GATEWAY_ROUTER_H
#define GW_GATEWAY_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "span.h"

struct gateway_config;
struct router;

struct route {
    const char *id;
    size_t index;         // in the configuration's routes
    size_t upstream;      // index in the configuration's upstreams
    bool is_prefix;       // "/a/*": matches "/a" and everything below "/a/"
    size_t prefix_length; // of the pattern without its "/*" (0 for "/*"), or of the exact path
    bool has_rewrite;
    bool rewrite_keeps_rest; // the rewrite ended in "/*": only the prefix is replaced
    struct span rewrite;     // without its "/*"
};

// Copies what it needs; the configuration may go. NULL with a sentence when a path is not a path,
// stands twice, or an upstream is not in the configuration. Patterns are normalised as paths are.
struct router *router_new(const struct gateway_config *config, struct err *err) GW_MUST_USE;
void router_free(struct router *router); // NULL allowed

// The route of a normalised path without query, or NULL. Valid as long as the router.
const struct route *router_match(const struct router *router, struct span path);

size_t router_count(const struct router *router);
const struct route *router_get(const struct router *router, size_t index); // in the file's order

// How long the rewritten path can get.
size_t route_rewrite_bound(const struct route *route, size_t path_length);

// The path that goes upstream for a path that the route matched: `path` itself without a rewrite,
// otherwise written to out, which has room for route_rewrite_bound bytes.
struct span route_rewrite(const struct route *route, struct span path, char *out);

#endif
