// Routing by hash lookups instead of comparisons with every route.
//
// Exact paths are keys of one map. Prefixes are keys of another, without their "/*"; a path is
// looked up there at each of its segment ends, the longest first. `lengths` has a bit for each
// length that a prefix has, so only ends at which a prefix could end cost a lookup: with any number
// of routes there are as many lookups as the path has segments, and mostly one or two.
//
// Invariant: maps hold pointers into `routes`, which never moves after router_new.
#include "router.h"

#include <stdlib.h>
#include <string.h>

#include "common/gateway_config.h"
#include "common/map.h"
#include "common/mem.h"
#include "target.h"

struct router {
    struct route *routes;
    char **texts; // what a route's id and rewrite point to, two for each route
    size_t count;
    struct map *exact;
    struct map *prefixes;
    uint64_t *lengths; // bit set
    size_t longest;    // prefix
};

enum { WORD_BITS = 64 };

// --- building ---------------------------------------------------------------------------------

// Takes "/*" off the end.
static bool take_star(struct span *text)
{
    if (text->length < 2 || memcmp(text->bytes + text->length - 2, "/*", 2) != 0)
        return false;
    text->length -= 2;
    return true;
}

// The normal form of a path or rewrite from the configuration without its "/*" ("" for "/*").
// Returns NULL with a sentence.
static char *read_pattern(const char *text, bool *has_star, struct err *err)
{
    struct span pattern = {text, strlen(text)};
    struct span normal;
    *has_star = take_star(&pattern);
    if (memchr(pattern.bytes, '*', pattern.length) != NULL) {
        err_set(err, "\"%s\" may have a '*' only at its end, behind a '/'", text);
        return NULL;
    }
    if (*has_star && pattern.length == 0)
        return mem_strdup("");
    char *out = mem_alloc(pattern.length + 1);
    if (target_normalise(pattern, out, &normal) < 0) {
        err_set(err, "\"%s\" is not a path", text);
        free(out);
        return NULL;
    }
    if (*has_star && normal.bytes[normal.length - 1] == '/')
        --normal.length; // "/a//*" is "/a/*"
    char *copy = mem_strndup(normal.bytes, normal.length);
    free(out);
    return copy;
}

static int find_upstream(const struct gateway_config *config, const char *name, size_t *index,
                         struct err *err)
{
    const struct upstream_config *upstreams = config->upstreams.items;
    for (size_t i = 0; i < config->upstreams.count; ++i) {
        if (strcmp(upstreams[i].name, name) == 0) {
            *index = i;
            return 0;
        }
    }
    return err_set(err, "there is no upstream \"%s\"", name);
}

static int add_path(struct router *router, struct route *route, const char *path, struct err *err)
{
    char *key = read_pattern(path, &route->is_prefix, err);
    if (key == NULL)
        return -1;
    struct map *map = route->is_prefix ? router->prefixes : router->exact;
    route->prefix_length = strlen(key);
    const struct route *other = map_put(map, key, route);
    free(key);
    if (other != NULL)
        return err_set(err, "route \"%s\" has the same path", other->id);
    if (route->is_prefix && route->prefix_length > router->longest)
        router->longest = route->prefix_length;
    return 0;
}

static int add_rewrite(struct route *route, char **text, const char *rewrite, struct err *err)
{
    if (rewrite == NULL)
        return 0;
    *text = read_pattern(rewrite, &route->rewrite_keeps_rest, err);
    if (*text == NULL)
        return -1;
    route->has_rewrite = true;
    route->rewrite = (struct span){*text, strlen(*text)};
    return 0;
}

static int add_route(struct router *router, size_t index, const struct gateway_config *config,
                     struct err *err)
{
    const struct route_config *from = (const struct route_config *)config->routes.items + index;
    struct route *route = &router->routes[index];
    char **texts = &router->texts[2 * index];
    texts[0] = mem_strdup(from->id != NULL ? from->id : from->path);
    route->id = texts[0];
    route->index = index;
    if (find_upstream(config, from->upstream, &route->upstream, err) < 0 ||
        add_path(router, route, from->path, err) < 0 ||
        add_rewrite(route, &texts[1], from->rewrite, err) < 0)
        return err_prefix(err, "route %s", route->id);
    return 0;
}

static void note_lengths(struct router *router)
{
    router->lengths = mem_zalloc(router->longest / WORD_BITS + 1, sizeof(uint64_t));
    for (size_t i = 0; i < router->count; ++i) {
        size_t length = router->routes[i].prefix_length;
        if (router->routes[i].is_prefix)
            router->lengths[length / WORD_BITS] |= UINT64_C(1) << length % WORD_BITS;
    }
}

struct router *router_new(const struct gateway_config *config, struct err *err)
{
    struct router *router = mem_zalloc(1, sizeof(*router));
    router->count = config->routes.count;
    router->routes = mem_zalloc(router->count + 1, sizeof(*router->routes));
    router->texts = mem_zalloc(2 * router->count + 1, sizeof(*router->texts));
    router->exact = map_new();
    router->prefixes = map_new();
    for (size_t i = 0; i < router->count; ++i) {
        if (add_route(router, i, config, err) < 0) {
            router_free(router);
            return NULL;
        }
    }
    note_lengths(router);
    return router;
}

void router_free(struct router *router)
{
    if (router == NULL)
        return;
    for (size_t i = 0; i < 2 * router->count; ++i)
        free(router->texts[i]);
    map_free(router->exact, NULL);
    map_free(router->prefixes, NULL);
    free(router->texts);
    free(router->routes);
    free(router->lengths);
    free(router);
}

// --- matching ---------------------------------------------------------------------------------

static bool has_prefix_of_length(const struct router *router, size_t length)
{
    return (router->lengths[length / WORD_BITS] >> length % WORD_BITS & 1) != 0;
}

// Does a segment end at `length`?
static bool is_boundary(struct span path, size_t length)
{
    return length == path.length || path.bytes[length] == '/';
}

static const struct route *match_prefix(const struct router *router, struct span path)
{
    size_t length = path.length < router->longest ? path.length : router->longest;
    for (;; --length) {
        if (is_boundary(path, length) && has_prefix_of_length(router, length)) {
            const struct route *route = map_get_n(router->prefixes, path.bytes, length);
            if (route != NULL)
                return route;
        }
        if (length == 0)
            return NULL;
    }
}

const struct route *router_match(const struct router *router, struct span path)
{
    if (path.length == 0 || path.bytes[0] != '/')
        return NULL;
    const struct route *route = map_get_n(router->exact, path.bytes, path.length);
    return route != NULL ? route : match_prefix(router, path);
}

size_t router_count(const struct router *router)
{
    return router->count;
}

const struct route *router_get(const struct router *router, size_t index)
{
    return &router->routes[index];
}

// --- rewriting --------------------------------------------------------------------------------

size_t route_rewrite_bound(const struct route *route, size_t path_length)
{
    return route->has_rewrite ? route->rewrite.length + path_length + 1 : path_length;
}

struct span route_rewrite(const struct route *route, struct span path, char *out)
{
    if (!route->has_rewrite)
        return path;
    size_t length = route->rewrite.length;
    memcpy(out, route->rewrite.bytes, length);
    if (route->rewrite_keeps_rest) {
        size_t rest = path.length - route->prefix_length;
        memcpy(out + length, path.bytes + route->prefix_length, rest);
        length += rest;
    }
    if (length == 0)
        out[length++] = '/';
    return (struct span){out, length};
}
