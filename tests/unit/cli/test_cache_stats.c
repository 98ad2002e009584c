// From cachesvc's replies to a page and to JSON.

#include <check.h>
#include <stdlib.h>

#include "cache_stats.h"

static void take_all(struct cache_stats *stats)
{
    cache_stats_take(stats, "keys", 1204);
    cache_stats_take(stats, "hits", 9284);
    cache_stats_take(stats, "misses", 716);
    cache_stats_take(stats, "connections", 3);
    cache_stats_take(stats, "uptime", 7500);
    cache_stats_take(stats, "healthy", 1);
    cache_stats_take_info(stats, "# Memory\r\nused_memory:3145728\r\nused_memory_human:3.00M\r\n"
                                 "maxmemory:67108864\r\n\r\n# Stats\r\nexpired_keys:31\r\n"
                                 "evicted_keys:2\r\nkeyspace_hits:1");
}

START_TEST(a_page)
{
    struct cache_stats stats = {0};
    struct buf out = BUF_INIT;
    take_all(&stats);
    cache_stats_render(&stats, &out);
    ck_assert_str_eq(buf_text(&out), "keys             1204\n"
                                     "memory           3.0 MB of 64.0 MB\n"
                                     "client hits      9284\n"
                                     "client misses    716\n"
                                     "client hit rate  92.84%\n"
                                     "expired          31\n"
                                     "evicted          2\n"
                                     "connections      3\n"
                                     "uptime           2h 5m\n");
    buf_free(&out);
}
END_TEST

static void check_json(const struct cache_stats *stats, const char *expected)
{
    struct json_object *object = cache_stats_json(stats);
    ck_assert_str_eq(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), expected);
    json_object_put(object);
}

START_TEST(json)
{
    struct cache_stats stats = {0};
    check_json(&stats, "{\"keys\":0,\"memory_used\":0,\"memory_limit\":0,\"client_hits\":0,"
                       "\"client_misses\":0,\"expired\":0,\"evicted\":0,\"connections\":0,"
                       "\"uptime_seconds\":0,\"client_hit_rate_percent\":null}");
    take_all(&stats);
    check_json(&stats, "{\"keys\":1204,\"memory_used\":3145728,\"memory_limit\":67108864,"
                       "\"client_hits\":9284,\"client_misses\":716,\"expired\":31,\"evicted\":2,"
                       "\"connections\":3,\"uptime_seconds\":7500,"
                       "\"client_hit_rate_percent\":92.84}");
}
END_TEST

START_TEST(info_of_another_kind)
{
    struct cache_stats stats = {0};
    cache_stats_take_info(&stats, "");
    cache_stats_take_info(&stats, "\r\n\r\nused_memory\nused_memory_dataset:7\nx:maxmemory:7");
    for (size_t i = 0; i < CACHE_NUMBERS; i++)
        ck_assert_int_eq(stats.numbers[i], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_stats");
    TCase *tests = tcase_create("cache_stats");
    tcase_add_test(tests, a_page);
    tcase_add_test(tests, json);
    tcase_add_test(tests, info_of_another_kind);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
