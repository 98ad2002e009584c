// The documents, key by key: names, types and forms of numbers are an interface.
#include <check.h>

#include "common/json.h"
#include "health_report.h"

static struct health_check checks[2];
static struct health_facts facts;

static void set_up(void)
{
    checks[0] = (struct health_check){
        .name = "api", .is_healthy = true, .is_critical = true, .message = "2 endpoints"};
    checks[1] = (struct health_check){.name = "redis", .is_healthy = true, .message = "answers"};
    facts = (struct health_facts){.checks = checks,
                                  .check_count = 2,
                                  .now_wall_ms = 1736937000000,
                                  .uptime_ms = 3725999,
                                  .memory = {47427093, 71187824, 126300979, 1289749},
                                  .cache = {true, 156, 2453667, 1234, 567},
                                  .runtime = "native",
                                  .pid = 42};
}

static void check_text(struct json_object *document, const char *expected)
{
    ck_assert_str_eq(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE),
                     expected);
    json_object_put(document);
}

START_TEST(ready)
{
    check_text(health_report_ready(&facts),
               "{\"status\":\"ready\",\"checks\":{"
               "\"api\":{\"healthy\":true,\"message\":\"2 endpoints\"},"
               "\"redis\":{\"healthy\":true,\"message\":\"answers\"}},"
               "\"timestamp\":\"2025-01-15T10:30:00.000Z\"}");
    checks[0].is_healthy = false;
    facts.is_draining = true;
    check_text(health_report_ready(&facts),
               "{\"status\":\"not ready\",\"checks\":{"
               "\"api\":{\"healthy\":false,\"message\":\"2 endpoints\"},"
               "\"redis\":{\"healthy\":true,\"message\":\"answers\"},"
               "\"gateway\":{\"healthy\":false,\"message\":\"draining\"}},"
               "\"timestamp\":\"2025-01-15T10:30:00.000Z\"}");
}
END_TEST

START_TEST(status)
{
    checks[1].is_healthy = false;
    check_text(health_report_status(&facts),
               "{\"status\":\"degraded\","
               "\"uptime\":{\"milliseconds\":3725999,\"seconds\":3725,\"minutes\":62,\"hours\":1,"
               "\"formatted\":\"1h 2m\"},"
               "\"memory\":{\"heapUsed\":\"45.23 MB\",\"heapTotal\":\"67.89 MB\","
               "\"rss\":\"120.45 MB\",\"external\":\"1.23 MB\",\"arrayBuffers\":\"0.00 MB\"},"
               "\"cache\":{\"healthy\":true,\"keys\":156,\"memory\":\"2.34 MB\","
               "\"stats\":{\"hits\":1234,\"misses\":567,\"hitRate\":\"68.52%\"}},"
               "\"checks\":{\"api\":{\"healthy\":true},\"redis\":{\"healthy\":false}},"
               "\"version\":\"" GWCTL_VERSION "\",\"nodeVersion\":null,\"runtime\":\"native\","
               "\"pid\":42}");
}
END_TEST

START_TEST(nothing_was_looked_up_yet)
{
    facts.cache.hits = facts.cache.misses = 0;
    struct json_object *document = health_report_status(&facts);
    struct json_object *stats = json_get_object(json_get_object(document, "cache"), "stats");
    ck_assert_str_eq(json_get_string(stats, "hitRate", ""), "0.00%");
    json_object_put(document);
}
END_TEST

START_TEST(draft)
{
    checks[1].is_healthy = false;
    check_text(health_report_draft(&facts),
               "{\"status\":\"warn\",\"version\":\"" GWCTL_VERSION "\","
               "\"serviceId\":\"gwctl-gateway\",\"checks\":{"
               "\"api:availability\":[{\"componentType\":\"component\",\"status\":\"pass\","
               "\"time\":\"2025-01-15T10:30:00.000Z\"}],"
               "\"redis:availability\":[{\"componentType\":\"component\",\"status\":\"warn\","
               "\"time\":\"2025-01-15T10:30:00.000Z\",\"output\":\"answers\"}],"
               "\"uptime\":[{\"componentType\":\"system\",\"status\":\"pass\","
               "\"time\":\"2025-01-15T10:30:00.000Z\",\"observedValue\":3725,"
               "\"observedUnit\":\"s\"}]}}");
    facts.check_count = 0;
    facts.is_draining = true;
    struct json_object *document = health_report_draft(&facts);
    ck_assert_str_eq(json_get_string(document, "status", ""), "fail");
    ck_assert_str_eq(json_get_string(document, "output", ""), "draining");
    json_object_put(document);
}
END_TEST

static const struct row {
    bool healthy[2], critical[2], draining;
    enum health_state state;
} rows[] = {
    {{true, true}, {true, true}, false, HEALTH_GOOD},
    {{false, true}, {false, true}, false, HEALTH_DEGRADED},
    {{false, true}, {true, true}, false, HEALTH_BAD},
    {{false, false}, {true, false}, false, HEALTH_BAD},
    {{false, false}, {false, true}, false, HEALTH_BAD},
    {{true, true}, {true, true}, true, HEALTH_BAD},
    {{false, true}, {false, true}, true, HEALTH_BAD},
};

START_TEST(states)
{
    for (size_t i = 0; i < 2; ++i) {
        checks[i].is_healthy = rows[_i].healthy[i];
        checks[i].is_critical = rows[_i].critical[i];
    }
    facts.is_draining = rows[_i].draining;
    ck_assert_int_eq(health_report_state(&facts), rows[_i].state);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health_report");
    TCase *tests = tcase_create("health_report");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, ready);
    tcase_add_test(tests, status);
    tcase_add_test(tests, nothing_was_looked_up_yet);
    tcase_add_test(tests, draft);
    tcase_add_loop_test(tests, states, 0, sizeof rows / sizeof *rows);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
