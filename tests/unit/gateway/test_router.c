// Routing and rewriting, small by hand and large against a slow reference.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gateway_config.h"
#include "router.h"

#define TEXT(literal) ((char *)literal)

static struct upstream_config upstreams[] = {{.name = TEXT("first")}, {.name = TEXT("second")}};

static struct gateway_config config_of(struct route_config *routes, size_t count)
{
    struct gateway_config config;
    memset(&config, 0, sizeof(config));
    config.upstreams.items = upstreams;
    config.upstreams.count = sizeof(upstreams) / sizeof(upstreams[0]);
    config.routes.items = routes;
    config.routes.count = count;
    return config;
}

static struct span text(const char *string)
{
    return (struct span){string, strlen(string)};
}

static struct router *build(struct route_config *routes, size_t count)
{
    struct gateway_config config = config_of(routes, count);
    struct err err;
    struct router *router = router_new(&config, &err);
    ck_assert_msg(router != NULL, "%s", router == NULL ? err.text : "");
    return router;
}

static struct route_config some_routes[] = {
    {.id = TEXT("exact"), .path = TEXT("/a"), .upstream = TEXT("first")},
    {.id = TEXT("below"), .path = TEXT("/a/*"), .upstream = TEXT("second")},
    {.id = TEXT("deeper"), .path = TEXT("/a/b/*"), .upstream = TEXT("first")},
    {.id = TEXT("leaf"), .path = TEXT("/a/b/c"), .upstream = TEXT("first")},
    {.id = TEXT("escaped"), .path = TEXT("/%7euser//caf%c3%a9/*"), .upstream = TEXT("first")},
    {.id = TEXT("slash"), .path = TEXT("/s/"), .upstream = TEXT("first")},
};

struct match {
    const char *path, *id; // NULL: none
};

static const struct match matches[] = {
    {"/a", "exact"},
    {"/a/", "below"},
    {"/a/x", "below"},
    {"/a/bc", "below"},
    {"/a/b", "deeper"},
    {"/a/b/", "deeper"},
    {"/a/b/c", "leaf"},
    {"/a/b/c/", "deeper"},
    {"/a/b/cd", "deeper"},
    {"/ab", NULL},
    {"/", NULL},
    {"/~user/caf%C3%A9", "escaped"},
    {"/~user/caf%C3%A9/x", "escaped"},
    {"/~user/caf%C3%A9x", NULL},
    {"/s/", "slash"},
    {"/s", NULL},
    {"/s/t", NULL},
    {"*", NULL},
    {"", NULL},
};

START_TEST(matches_exact_then_longest_prefix)
{
    struct router *router = build(some_routes, sizeof(some_routes) / sizeof(some_routes[0]));
    const struct route *route = router_match(router, text(matches[_i].path));
    if (matches[_i].id == NULL)
        ck_assert_msg(route == NULL, "%s", matches[_i].path);
    else
        ck_assert_msg(route != NULL && strcmp(route->id, matches[_i].id) == 0, "%s",
                      matches[_i].path);
    router_free(router);
}
END_TEST

START_TEST(routes_know_their_place)
{
    struct router *router = build(some_routes, sizeof(some_routes) / sizeof(some_routes[0]));
    ck_assert_uint_eq(router_count(router), sizeof(some_routes) / sizeof(some_routes[0]));
    const struct route *route = router_match(router, SPAN("/a/x"));
    ck_assert_ptr_eq(route, router_get(router, 1));
    ck_assert_uint_eq(route->index, 1);
    ck_assert_uint_eq(route->upstream, 1);
    ck_assert(route->is_prefix && route->prefix_length == 2 && !route->has_rewrite);
    router_free(router);
}
END_TEST

START_TEST(star_alone_takes_every_path)
{
    struct route_config all = {.path = TEXT("/*"), .upstream = TEXT("first")};
    struct router *router = build(&all, 1);
    ck_assert_ptr_nonnull(router_match(router, SPAN("/")));
    ck_assert_ptr_nonnull(router_match(router, SPAN("/a/b")));
    ck_assert_ptr_null(router_match(router, SPAN("*")));
    ck_assert_str_eq(router_get(router, 0)->id, "/*");
    router_free(router);
}
END_TEST

START_TEST(no_routes_match_nothing)
{
    struct router *router = build(NULL, 0);
    ck_assert_ptr_null(router_match(router, SPAN("/")));
    router_free(router);
    router_free(NULL);
}
END_TEST

struct rewritten {
    const char *route, *rewrite, *path, *result;
};

static const struct rewritten rewrites[] = {
    {"/feed/*", NULL, "/feed/x", "/feed/x"},
    {"/feed/*", "/v2/*", "/feed", "/v2"},
    {"/feed/*", "/v2/*", "/feed/", "/v2/"},
    {"/feed/*", "/v2/*", "/feed/x/y", "/v2/x/y"},
    {"/feed/*", "/*", "/feed", "/"},
    {"/feed/*", "/*", "/feed/", "/"},
    {"/feed/*", "/*", "/feed/x", "/x"},
    {"/feed/*", "/one", "/feed/x", "/one"},
    {"/*", "/v2/*", "/", "/v2/"},
    {"/*", "/v2/*", "/x", "/v2/x"},
    {"/feed//*", "/v2//*", "/feed/x", "/v2/x"},
    {"/a", "/b", "/a", "/b"},
    {"/a", "/b/*", "/a", "/b"},
};

START_TEST(rewrites_paths)
{
    const struct rewritten *row = &rewrites[_i];
    struct route_config one = {
        .path = (char *)row->route, .upstream = TEXT("first"), .rewrite = (char *)row->rewrite};
    struct router *router = build(&one, 1);
    const struct route *route = router_match(router, text(row->path));
    ck_assert_ptr_nonnull(route);
    char *out = malloc(route_rewrite_bound(route, strlen(row->path)));
    struct span path = route_rewrite(route, text(row->path), out);
    ck_assert_msg(path.length == strlen(row->result) &&
                      memcmp(path.bytes, row->result, path.length) == 0,
                  "%s: %.*s", row->path, (int)path.length, path.bytes);
    free(out);
    router_free(router);
}
END_TEST

struct broken {
    struct route_config routes[2];
    size_t count;
    const char *message;
};

static struct broken broken[] = {
    {{{.path = TEXT("a"), .upstream = TEXT("first")}}, 1, "is not a path"},
    {{{.path = TEXT("/a%"), .upstream = TEXT("first")}}, 1, "is not a path"},
    {{{.path = TEXT("/a?b"), .upstream = TEXT("first")}}, 1, "is not a path"},
    {{{.path = TEXT("/../a"), .upstream = TEXT("first")}}, 1, "is not a path"},
    {{{.path = TEXT("/a/*/b"), .upstream = TEXT("first")}}, 1, "only at its end"},
    {{{.path = TEXT("/a*"), .upstream = TEXT("first")}}, 1, "only at its end"},
    {{{.path = TEXT("*"), .upstream = TEXT("first")}}, 1, "only at its end"},
    {{{.path = TEXT("/a"), .upstream = TEXT("third")}}, 1, "no upstream \"third\""},
    {{{.path = TEXT("/a"), .upstream = TEXT("first"), .rewrite = TEXT("b")}}, 1, "is not a path"},
    {{{.path = TEXT("/a"), .upstream = TEXT("first")},
      {.path = TEXT("/%61"), .upstream = TEXT("first")}},
     2,
     "same path"},
    {{{.path = TEXT("/a/*"), .upstream = TEXT("first")},
      {.path = TEXT("//a/*"), .upstream = TEXT("first")}},
     2,
     "same"},
};

START_TEST(refuses_broken_routes)
{
    struct gateway_config config = config_of(broken[_i].routes, broken[_i].count);
    struct err err;
    ck_assert_ptr_null(router_new(&config, &err));
    ck_assert_msg(strstr(err.text, broken[_i].message) != NULL, "%s", err.text);
    ck_assert_msg(strncmp(err.text, "route ", 6) == 0, "%s", err.text);
}
END_TEST

enum { MANY = 1000 };

// The slow way: every route is looked at.
static const struct route *match_slowly(const struct router *router,
                                        const struct route_config *routes, struct span path)
{
    const struct route *best = NULL;
    for (size_t i = 0; i < MANY; ++i) {
        size_t length = strlen(routes[i].path);
        bool star = length >= 2 && strcmp(routes[i].path + length - 2, "/*") == 0;
        size_t prefix = star ? length - 2 : length;
        if (path.length < prefix || memcmp(path.bytes, routes[i].path, prefix) != 0)
            continue;
        if (!star && path.length == prefix)
            return router_get(router, i);
        if (star && (path.length == prefix || path.bytes[prefix] == '/') &&
            (best == NULL || prefix > best->prefix_length))
            best = router_get(router, i);
    }
    return best;
}

// Paths of up to six segments out of few words, so that they share many prefixes. The number
// decides all of it.
static void write_path(char *out, size_t size, unsigned number)
{
    static const char *const words[] = {"a", "bb", "api", "v1", "users", "x"};
    size_t at = 0;
    do {
        at += (size_t)snprintf(out + at, size - at, "/%s", words[number % 6]);
        number /= 6;
    } while (number > 0);
}

START_TEST(a_thousand_routes_match_as_one_by_one)
{
    static char paths[MANY][64];
    static struct route_config routes[MANY];
    for (unsigned i = 0; i < MANY; ++i) {
        write_path(paths[i], sizeof(paths[i]) - 2, i / 2);
        if (i % 2 == 0 || i % 7 == 0)
            strcat(paths[i], i % 2 == 0 ? "/*" : "/end");
        routes[i] = (struct route_config){.path = paths[i], .upstream = TEXT("first")};
    }
    struct router *router = build(routes, MANY);
    unsigned found = 0;
    for (unsigned i = 0; i < 6 * 6 * 6 * 6 * 6; ++i) {
        char path[80];
        write_path(path, sizeof(path) - 8, i);
        if (i % 3 == 1)
            strcat(path, i % 2 ? "/" : "/end");
        const struct route *route = router_match(router, text(path));
        ck_assert_msg(route == match_slowly(router, routes, text(path)), "%s", path);
        found += route != NULL;
    }
    ck_assert_uint_gt(found, MANY);
    router_free(router);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("router");
    TCase *tests = tcase_create("router");
    tcase_add_loop_test(tests, matches_exact_then_longest_prefix, 0,
                        (int)(sizeof(matches) / sizeof(matches[0])));
    tcase_add_test(tests, routes_know_their_place);
    tcase_add_test(tests, star_alone_takes_every_path);
    tcase_add_test(tests, no_routes_match_nothing);
    tcase_add_loop_test(tests, rewrites_paths, 0, (int)(sizeof(rewrites) / sizeof(rewrites[0])));
    tcase_add_loop_test(tests, refuses_broken_routes, 0, (int)(sizeof(broken) / sizeof(broken[0])));
    tcase_add_test(tests, a_thousand_routes_match_as_one_by_one);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
