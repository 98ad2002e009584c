// Defaults of "cache", and what a route takes over; findings are in conf/cache-errors.json.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gateway_config.h"
#include "common/match_config.h"

static struct gateway_config gateway;
static struct cache_config effective;

// What holds for a gateway and a route with these members (each with a comma behind it).
static bool merge(const char *of_gateway, const char *of_route)
{
    char text[1024];
    struct err err;
    snprintf(text, sizeof(text),
             "{%s\"listen\":[{\"address\":\"*:80\"}],\"upstreams\":{\"u\":{\"servers\":"
             "\"unix:/a\"}},\"routes\":[{%s\"path\":\"/*\",\"upstream\":\"u\"}]}",
             of_gateway, of_route);
    struct json_doc *doc = json_doc_parse(text, strlen(text), JSON_STRICT, NULL, &err);
    ck_assert_msg(doc != NULL, "%s: %s", text, err.text);
    struct config_errors *errors = config_errors_new("t");
    int result =
        keytable_parse(&gateway_config_table, json_doc_root(doc), doc, "", &gateway, errors);
    ck_assert_msg(result == 0, "%s", text);
    config_errors_free(errors);
    json_doc_free(doc);
    return gateway_config_cache(&gateway, gateway.routes.items, &effective);
}

static void clear(void)
{
    keytable_clear(&gateway_config_table, &gateway);
}

static const struct presence_row {
    const char *of_gateway, *of_route;
    bool is_cached;
} presences[] = {
    {"", "", false},
    {"", "\"cache\":{},", true},
    {"", "\"cache\":false,", false},
    {"\"cache\":{},", "", true},
    {"\"cache\":{},", "\"cache\":false,", false},
    {"\"cache\":{},", "\"cache\":{},", true},
    {"\"cache\":false,", "", false},
    {"\"cache\":false,", "\"cache\":{},", true},
    {"\"cache\":{},", "\"no_cache\":true,", false},
    {"\"cache\":{},", "\"no_cache\":false,\"cache_control\":\"public\",", true},
};

START_TEST(who_has_a_cache)
{
    const struct presence_row *row = &presences[_i];
    ck_assert(merge(row->of_gateway, row->of_route) == row->is_cached);
    clear();
}
END_TEST

START_TEST(defaults)
{
    ck_assert(merge("", "\"cache\":{},"));
    const struct match_config *skip = effective.skip.items;
    ck_assert_int_eq(effective.mode, CACHE_MODE_TTL);
    ck_assert_int_eq(effective.ttl_ms, 300000);
    ck_assert(effective.key.host && !effective.key.sort_query && !effective.key.user);
    ck_assert_int_eq(effective.key.query.choice, CACHE_QUERY_ALL);
    ck_assert(effective.key.headers.count == 0 && effective.key.cookies.count == 0);
    ck_assert_uint_eq(effective.skip.count, 3);
    ck_assert(skip[0].is_authenticated && skip[0].path == NULL);
    ck_assert_str_eq(skip[1].path, "/api/admin/*");
    ck_assert_str_eq(skip[2].path, "/api/auth/*");
    ck_assert(effective.tags.count == 0 && !effective.debug && effective.ignore == 0);
    ck_assert_int_eq(effective.max_size_bytes, 1 << 20);
    ck_assert_int_eq(effective.keep_stale_ms, 0);
    ck_assert_int_eq(effective.hit_for_miss_ms, 2000);
    ck_assert_int_eq(effective.wait_ms, 5000);
    clear();
}
END_TEST

START_TEST(a_route_replaces_what_it_names)
{
    ck_assert(merge("\"cache\":{\"ttl\":\"1m\",\"tags\":[\"g\"],\"debug\":true,\"skip\":[],"
                    "\"ignore\":[\"private\",\"authorization\"],"
                    "\"key\":{\"headers\":[\"accept\"],\"query\":\"none\",\"user\":true}},",
                    "\"cache\":{\"ttl\":\"2m\",\"tags\":\"a b\","
                    "\"key\":{\"query\":{\"only\":[\"page\"]},\"user\":false}},"));
    ck_assert_int_eq(effective.ttl_ms, 120000);
    ck_assert_uint_eq(effective.tags.count, 2);
    ck_assert(effective.debug && effective.skip.count == 0);
    ck_assert_uint_eq(effective.ignore, CACHE_VETO_PRIVATE | CACHE_VETO_AUTHORIZATION);
    ck_assert_uint_eq(effective.key.headers.count, 1);
    ck_assert_int_eq(effective.key.query.choice, CACHE_QUERY_ONLY);
    ck_assert_str_eq(effective.key.query.names.items[0], "page");
    ck_assert(!effective.key.user);
    clear();
}
END_TEST

START_TEST(a_route_may_go_back_to_a_default)
{
    ck_assert(merge("\"cache\":{\"ttl\":\"1m\",\"ignore\":\"no-store set-cookie\","
                    "\"key\":{\"host\":false,\"query\":{\"except\":[\"x\",\"y\"]}}},",
                    "\"cache\":{\"ttl\":\"300s\",\"ignore\":[],\"key\":{\"query\":\"all\"}},"));
    ck_assert_int_eq(effective.ttl_ms, 300000);
    ck_assert_uint_eq(effective.ignore, 0);
    ck_assert_int_eq(effective.key.query.choice, CACHE_QUERY_ALL);
    ck_assert(!effective.key.host);
    clear();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_config");
    TCase *tests = tcase_create("cache_config");
    tcase_add_loop_test(tests, who_has_a_cache, 0, (int)(sizeof(presences) / sizeof(presences[0])));
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, a_route_replaces_what_it_names);
    tcase_add_test(tests, a_route_may_go_back_to_a_default);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
