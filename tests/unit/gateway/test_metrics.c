// Counting: what is configured is there from the start, a request is one in every sum, a column of
// the page is gone on with, and a move leaves what was counted.
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "common/gateway_config.h"
#include "common/histogram.h"
#include "metrics.h"

enum { COLUMN = 5, OTHER_COLUMN = 6, ROUTES = 2 };

static char services_id[] = "services", plain_id[] = "plain", api_name[] = "api";
static struct route_config routes[ROUTES] = {{.id = services_id}, {.id = plain_id}};
static struct upstream_config upstreams[] = {{.name = api_name}};
static struct gateway_config config = {.routes = {routes, ROUTES}, .upstreams = {upstreams, 1}};
static struct metrics metrics;
static struct metrics_page *page;
static int fd;

static void set_up(void)
{
    struct err err;
    routes[0].cache.given.presence = KEY_GIVEN;
    fd = metrics_page_create(1, &err);
    page = metrics_page_map(fd, &err);
    ck_assert_ptr_nonnull(page);
    metrics_init(&metrics, &config, page, COLUMN);
}

static void tear_down(void)
{
    metrics_fini(&metrics);
    metrics_page_unmap(page);
    close(fd);
}

static bool is_named(const struct metrics_column *column, uint32_t name, const char *text)
{
    size_t length;
    const char *bytes = metrics_column_name(column, name, &length);
    return text == NULL ? bytes == NULL
                        : bytes != NULL && length == strlen(text) && !memcmp(bytes, text, length);
}

// The sum of such cells, whatever their bounds; -1: there is none.
static int64_t value(unsigned column, enum metric_family family, const char *name,
                     const char *other_name, unsigned first, unsigned second)
{
    const struct metrics_column *in = &page->column[column];
    int64_t found = -1;
    for (uint32_t i = 0; i < metrics_column_cells(in); ++i) {
        const struct metric_key *key = &in->cells[i].key;
        if (key->family != family || key->first != first || key->second != second ||
            !is_named(in, key->name[0], name) || !is_named(in, key->name[1], other_name))
            continue;
        found = (found == -1 ? 0 : found) + (int64_t)atomic_load(&in->cells[i].value);
    }
    return found;
}

// Of a label: those for which this is the first bound.
static int64_t within(enum metric_family family, const char *name, uint64_t bound_us)
{
    const struct metrics_column *in = &page->column[COLUMN];
    int64_t sum = 0;
    for (uint32_t i = 0; i < metrics_column_cells(in); ++i)
        if (in->cells[i].key.family == family && is_named(in, in->cells[i].key.name[0], name) &&
            histogram_bound_us(in->cells[i].key.bound) == bound_us)
            sum += (int64_t)atomic_load(&in->cells[i].value);
    return sum;
}

static void count(size_t route, enum metric_method method, unsigned status, uint64_t duration_us,
                  uint64_t bytes)
{
    struct metrics_request request = {route, method, status, duration_us, bytes};
    metrics_count_request(&metrics, &request);
}

START_TEST(what_is_configured_is_0)
{
    static const char *const names[] = {METRIC_ROUTE_UNMATCHED, METRIC_ROUTE_HEALTH,
                                        METRIC_ROUTE_MONITORING, services_id, plain_id};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        ck_assert_int_eq(value(COLUMN, METRIC_REQUESTS, names[i], NULL, METHOD_GET, 200), 0);
        ck_assert_int_eq(value(COLUMN, METRIC_DURATION_SUM, names[i], NULL, 0, 0), 0);
        ck_assert_int_eq(value(COLUMN, METRIC_RESPONSE_BYTES, names[i], NULL, 0, 0), 0);
    }
    ck_assert_int_eq(value(COLUMN, METRIC_CACHE, services_id, NULL, CACHE_HIT, 0), 0);
    ck_assert_int_eq(value(COLUMN, METRIC_CACHE, services_id, NULL, CACHE_MISS, 0), 0);
    ck_assert_int_eq(value(COLUMN, METRIC_CACHE, services_id, NULL, CACHE_STALE, 0), -1);
    ck_assert_int_eq(value(COLUMN, METRIC_CACHE, plain_id, NULL, CACHE_HIT, 0), -1);
    ck_assert_int_eq(value(COLUMN, METRIC_UPSTREAM_DURATION_SUM, api_name, NULL, 0, 0), 0);
    ck_assert_int_eq(value(COLUMN, METRIC_RETRIES, api_name, NULL, 0, 0), 0);
    ck_assert_int_eq(value(COLUMN, METRIC_CACHE_WAITS, NULL, NULL, 0, 0), 0);
    ck_assert_int_eq(value(COLUMN, METRIC_CONNECTIONS, NULL, NULL, 0, 0), 0);
    ck_assert_int_eq(value(COLUMN, METRIC_ACCESS_LOG_DROPPED, NULL, NULL, 0, 0), 0);
    ck_assert_uint_eq(page->opened[COLUMN], 1);
    ck_assert_uint_eq(page->opened[OTHER_COLUMN], 0);
}
END_TEST

START_TEST(a_request_is_one_in_every_sum)
{
    const size_t services = METRICS_BUILT_IN, plain = METRICS_BUILT_IN + 1;
    count(services, METHOD_GET, 200, 2500, 10);
    count(services, METHOD_GET, 404, 2400, 20);
    count(services, METHOD_POST, 404, 7, 0);
    count(services, METHOD_GET, 200, 2500, 10);
    count(plain, METHOD_OTHER, 200, 1, 1);
    count(METRICS_UNMATCHED, METHOD_GET, 400, 3, 5);
    ck_assert_int_eq(value(COLUMN, METRIC_REQUESTS, services_id, NULL, METHOD_GET, 200), 2);
    ck_assert_int_eq(value(COLUMN, METRIC_REQUESTS, services_id, NULL, METHOD_GET, 404), 1);
    ck_assert_int_eq(value(COLUMN, METRIC_REQUESTS, services_id, NULL, METHOD_POST, 404), 1);
    ck_assert_int_eq(value(COLUMN, METRIC_REQUESTS, plain_id, NULL, METHOD_OTHER, 200), 1);
    ck_assert_int_eq(value(COLUMN, METRIC_DURATION_SUM, services_id, NULL, 0, 0), 7407);
    ck_assert_int_eq(value(COLUMN, METRIC_RESPONSE_BYTES, services_id, NULL, 0, 0), 40);
    ck_assert_int_eq(value(COLUMN, METRIC_DURATION, NULL, NULL, histogram_bucket(2500), 0), 2);
    ck_assert_int_eq(within(METRIC_REQUESTS, services_id, 1000), 1);
    ck_assert_int_eq(within(METRIC_REQUESTS, services_id, 2500), 3);
    ck_assert_int_eq(within(METRIC_REQUESTS, services_id, 10000), 0);
    ck_assert_uint_eq(metrics_column_sum(&page->column[COLUMN], METRIC_REQUESTS), 6);
    ck_assert_uint_eq(metrics_column_sum(&page->column[COLUMN], METRIC_DURATION), 6);
}
END_TEST

START_TEST(tries_are_those_of_an_endpoint)
{
    struct metrics_endpoint one = {.text = "api#0"}, two = {.text = "api#1"};
    metrics_count_answer(&metrics, 0, &one, 200);
    metrics_count_answer(&metrics, 0, &one, 200);
    metrics_count_answer(&metrics, 0, &one, 500);
    metrics_count_failure(&metrics, 0, &two, FAILURE_TIMEOUT);
    metrics_count_retry(&metrics, 0);
    metrics_count_try_time(&metrics, 0, 1000);
    ck_assert_int_eq(value(COLUMN, METRIC_UPSTREAM_REQUESTS, api_name, "api#0", 200, 0), 2);
    ck_assert_int_eq(value(COLUMN, METRIC_UPSTREAM_REQUESTS, api_name, "api#0", 500, 0), 1);
    ck_assert_int_eq(value(COLUMN, METRIC_UPSTREAM_FAILURES, api_name, "api#1", FAILURE_TIMEOUT, 0),
                     1);
    ck_assert_int_eq(value(COLUMN, METRIC_RETRIES, api_name, NULL, 0, 0), 1);
    ck_assert_int_eq(value(COLUMN, METRIC_UPSTREAM_DURATION_SUM, api_name, NULL, 0, 0), 1000);
    ck_assert_int_eq(value(COLUMN, METRIC_UPSTREAM_DURATION, api_name, NULL, 0, 0), 1);
    ck_assert_int_eq(within(METRIC_UPSTREAM_DURATION, api_name, 1000), 1);
}
END_TEST

START_TEST(an_upstream_of_our_own_is_not_counted)
{
    struct metrics_endpoint endpoint = {.text = "metricsd"};
    uint32_t cells = metrics_column_cells(&page->column[COLUMN]);
    metrics_count_answer(&metrics, UPSTREAM_OWN, &endpoint, 200);
    metrics_count_failure(&metrics, UPSTREAM_OWN, &endpoint, FAILURE_CONNECT);
    metrics_count_retry(&metrics, UPSTREAM_OWN);
    metrics_count_try_time(&metrics, UPSTREAM_OWN, 1000);
    ck_assert_uint_eq(metrics_column_cells(&page->column[COLUMN]), cells);
}
END_TEST

START_TEST(a_move_leaves_what_was_counted)
{
    struct metrics_endpoint endpoint = {.text = "api#0"};
    count(METRICS_BUILT_IN, METHOD_GET, 404, 1, 1);
    metrics_count_answer(&metrics, 0, &endpoint, 200);
    struct span text = metrics_endpoint_text(&metrics, &endpoint);
    metrics_move(&metrics, OTHER_COLUMN);
    count(METRICS_BUILT_IN, METHOD_GET, 404, 1, 1);
    count(METRICS_BUILT_IN, METHOD_GET, 404, 1, 1);
    metrics_count_answer(&metrics, 0, &endpoint, 200);
    ck_assert_int_eq(value(COLUMN, METRIC_REQUESTS, services_id, NULL, METHOD_GET, 404), 1);
    ck_assert_int_eq(value(OTHER_COLUMN, METRIC_REQUESTS, services_id, NULL, METHOD_GET, 404), 2);
    ck_assert_int_eq(value(OTHER_COLUMN, METRIC_REQUESTS, plain_id, NULL, METHOD_GET, 200), 0);
    ck_assert_int_eq(value(COLUMN, METRIC_UPSTREAM_REQUESTS, api_name, "api#0", 200, 0), 1);
    ck_assert_int_eq(value(OTHER_COLUMN, METRIC_UPSTREAM_REQUESTS, api_name, "api#0", 200, 0), 1);
    ck_assert(text.length == 5 && memcmp(text.bytes, "api#0", 5) == 0);
}
END_TEST

START_TEST(a_successor_counts_on)
{
    count(METRICS_BUILT_IN, METHOD_GET, 200, 1, 1);
    metrics_fini(&metrics);
    metrics_init(&metrics, &config, page, COLUMN);
    count(METRICS_BUILT_IN, METHOD_GET, 200, 1, 1);
    ck_assert_int_eq(value(COLUMN, METRIC_REQUESTS, services_id, NULL, METHOD_GET, 200), 2);
}
END_TEST

START_TEST(without_a_page_it_counts_for_itself)
{
    struct metrics alone;
    metrics_init(&alone, &config, NULL, 0);
    metrics_count_connection(&alone);
    metrics_move(&alone, OTHER_COLUMN);
    metrics_count_connection(&alone);
    ck_assert_uint_eq(metrics_column_sum(alone.own, METRIC_CONNECTIONS), 2);
    metrics_fini(&alone);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tests = tcase_create("metrics");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_configured_is_0);
    tcase_add_test(tests, a_request_is_one_in_every_sum);
    tcase_add_test(tests, tries_are_those_of_an_endpoint);
    tcase_add_test(tests, an_upstream_of_our_own_is_not_counted);
    tcase_add_test(tests, a_move_leaves_what_was_counted);
    tcase_add_test(tests, a_successor_counts_on);
    tcase_add_test(tests, without_a_page_it_counts_for_itself);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
