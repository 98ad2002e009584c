#include "columns_test.h"

#include <math.h>
#include <stdio.h>

#include "common/state_page.h"
#include "history.h"
#include "recorder.h"
#include "windows.h"

#define T0 UINT64_C(1700000000)

static struct facts facts;
static struct recorder recorder;

static void set_up(void)
{
    columns_test_open();
    facts = (struct facts){.page = test_metrics,
                           .state = calloc(1, sizeof(struct state_page)),
                           .merge = merge_new(test_metrics),
                           .windows = calloc(1, sizeof(struct windows)),
                           .history = calloc(1, sizeof(struct history))};
    recorder_init(&recorder, &facts);
}

static void tear_down(void)
{
    free((void *)facts.state);
    free(facts.windows);
    free(facts.history);
    merge_free(facts.merge);
    columns_test_close();
}

static void step(uint64_t second)
{
    merge_read(facts.merge);
    recorder_step(&recorder, second * 1000, T0 + second);
}

// What stands in the history; NAN: nothing.
static double value_at(uint64_t second, const char *name, const char *value)
{
    for (size_t i = 0; i < HISTORY_SERIES; i++) {
        const struct history_key *key = history_key(facts.history, i);
        if (key != NULL && strcmp(key->name, name) == 0 && strcmp(key->value, value) == 0)
            return history_at_second(facts.history, i, T0 + second);
    }
    return NAN;
}

static void count(unsigned status, uint64_t us, uint64_t amount)
{
    columns_test_count_requests(0, "api", METHOD_GET, status, us, amount);
}

START_TEST(rates)
{
    count(200, 1000, 1000000); // before anybody watched
    step(1);
    ck_assert(isnan(value_at(1, "requests_per_second", "")));
    count(200, 10000, 30);
    count(503, 10000, 10);
    columns_test_count(0, METRIC_CACHE, "api", NULL, CACHE_STALE, 0, 3);
    columns_test_count(0, METRIC_CACHE, "api", NULL, CACHE_MISS, 0, 1);
    columns_test_count(0, METRIC_CACHE, "api", NULL, CACHE_BYPASS, 0, 100);
    step(3);
    ck_assert_double_eq(value_at(3, "requests_per_second", ""), 20);
    ck_assert_double_eq(value_at(3, "errors_per_second", ""), 5);
    ck_assert_double_eq(value_at(3, "cache_hit_rate", ""), 75);
    ck_assert_double_eq_tol(value_at(3, "response_time_p50_ms", ""), 10, 0.5);
    ck_assert_double_eq_tol(value_at(3, "response_time_p99_ms", ""), 10, 0.5);
    step(4);
    ck_assert_double_eq(value_at(4, "requests_per_second", ""), 0);
    ck_assert(isnan(value_at(4, "response_time_p95_ms", "")));
    ck_assert(isnan(value_at(4, "cache_hit_rate", "")));
}
END_TEST

START_TEST(sums_that_go_back_are_a_gap)
{
    count(200, 1000, 50);
    step(1);
    test_metrics->opened[0] = 0;
    step(2);
    ck_assert(isnan(value_at(2, "requests_per_second", "")));
    step(3);
    ck_assert_double_eq(value_at(3, "requests_per_second", ""), 0);
}
END_TEST

START_TEST(upstreams)
{
    char name[16];
    step(1);
    for (unsigned i = 0; i < RECORDER_UPSTREAMS + 2; i++) {
        snprintf(name, sizeof name, "u%02u", i);
        columns_test_count(0, METRIC_UPSTREAM_REQUESTS, name, "e#0", 200, 0, i);
        columns_test_count(1, METRIC_UPSTREAM_REQUESTS, name, "e#1", 502, 0, i);
    }
    step(2);
    ck_assert_double_eq(value_at(2, "upstream_requests_per_second", "u03"), 6);
    columns_test_count(0, METRIC_UPSTREAM_REQUESTS, "u03", "e#0", 200, 0, 5);
    step(3);
    ck_assert_double_eq(value_at(3, "upstream_requests_per_second", "u03"), 5);
    ck_assert_double_eq(value_at(3, "upstream_requests_per_second", "u04"), 0);
    snprintf(name, sizeof name, "u%02u", RECORDER_UPSTREAMS);
    ck_assert(isnan(value_at(3, "upstream_requests_per_second", name)));
}
END_TEST

START_TEST(processes_by_app)
{
    static char api[] = "api", web[] = "web", gateway[] = "gateway", other[] = "app";
    struct procfs_sample sample = {.rss_bytes = 9000, .pss_bytes = 1000, .has_pss = true};
    struct process items[] = {
        {.app = api,
         .role = other,
         .id = 0,
         .pid = 1,
         .column = -1,
         .is_sampled = true,
         .sample = sample,
         .cpu_share = 0.5},
        {.app = web, .role = other, .id = 1, .pid = 2, .column = -1, .cpu_share = NAN},
        {.app = api,
         .role = other,
         .id = 2,
         .pid = 3,
         .column = -1,
         .is_sampled = true,
         .sample = sample,
         .cpu_share = NAN},
        {.app = gateway, .role = gateway, .id = 3, .pid = 4, .column = 7, .cpu_share = NAN},
        {.app = gateway, .role = gateway, .id = 4, .pid = 5, .column = 8, .cpu_share = NAN},
        {.app = gateway, .role = gateway, .id = 5, .pid = 0, .column = 9, .cpu_share = NAN},
    };
    struct state_page *state = (struct state_page *)facts.state;
    for (unsigned column = 7; column < 10; column++) {
        state->column[column].connections = column;
        state->column[column].in_flight = 1;
    }
    facts.processes = (struct processes){.items = items, .count = sizeof items / sizeof *items};
    step(1);
    ck_assert_double_eq(value_at(1, "cpu_percent", "api"), 50);
    ck_assert_double_eq(value_at(1, "memory_bytes", "api"), 2000);
    ck_assert(isnan(value_at(1, "memory_bytes", "web")));
    ck_assert_double_eq(value_at(1, "connections", ""), 15);
    ck_assert_double_eq(value_at(1, "requests_in_flight", ""), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recorder");
    TCase *tests = tcase_create("recorder");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, rates);
    tcase_add_test(tests, sums_that_go_back_are_a_gap);
    tcase_add_test(tests, upstreams);
    tcase_add_test(tests, processes_by_app);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
