#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/histogram.h"
#include "exposition.h"

static struct buf out;
static struct exposition exposition;

static void begin(enum exposition_format format)
{
    out = (struct buf)BUF_INIT;
    exposition_begin(&exposition, &out, format);
}

static void end_with(const char *expected)
{
    exposition_end(&exposition);
    ck_assert_str_eq(buf_text(&out), expected);
    buf_free(&out);
}

static void write_some(void)
{
    const char *labels[] = {"a \\ \"b\"\nc", "GET", "200"};
    const char *code[] = {"5xx"};
    exposition_family(&exposition, HTTP_REQUESTS);
    exposition_integer(&exposition, NULL, 15234);
    exposition_family(&exposition, HTTP_DURATION);
    exposition_quantile(&exposition, "0.5", 0.0325);
    exposition_quantile(&exposition, "0.99", NAN);
    exposition_sum(&exposition, NULL, 1234567000);
    exposition_count(&exposition, NULL, UINT64_MAX);
    exposition_family(&exposition, HTTP_BY_STATUS);
    exposition_integer(&exposition, code, 0);
    exposition_family(&exposition, CACHE_HIT_RATE);
    exposition_number(&exposition, NULL, 68.5);
    exposition_family(&exposition, ROUTE_REQUESTS);
    exposition_integer(&exposition, labels, 1);
    exposition_family(&exposition, PROCESS_CPU);
    exposition_seconds(&exposition, labels, 1000001);
}

#define SAMPLES_1                                                                                  \
    "http_request_duration_seconds{quantile=\"0.5\"} 0.0325\n"                                     \
    "http_request_duration_seconds{quantile=\"0.99\"} NaN\n"                                       \
    "http_request_duration_seconds_sum 1234.567\n"                                                 \
    "http_request_duration_seconds_count 18446744073709551615\n"
#define SAMPLES_2                                                                                  \
    "gwctl_http_requests_total{route=\"a \\\\ \\\"b\\\"\\nc\",method=\"GET\",code=\"200\"} 1\n"
#define SAMPLES_3                                                                                  \
    "gwctl_process_cpu_seconds_total{app=\"a \\\\ \\\"b\\\"\\nc\",id=\"GET\"} 1.000001\n"

START_TEST(text)
{
    begin(EXPOSITION_TEXT);
    write_some();
    end_with("# HELP http_requests_total Total number of HTTP requests\n"
             "# TYPE http_requests_total counter\n"
             "http_requests_total 15234\n"
             "# HELP http_request_duration_seconds HTTP request duration in seconds\n"
             "# TYPE http_request_duration_seconds summary\n" SAMPLES_1
             "# HELP http_requests_by_status HTTP requests by status code\n"
             "# TYPE http_requests_by_status untyped\n"
             "http_requests_by_status{code=\"5xx\"} 0\n"
             "# HELP cache_hit_rate Cache hit rate percentage\n"
             "# TYPE cache_hit_rate gauge\n"
             "cache_hit_rate 68.5\n"
             "# HELP gwctl_http_requests_total Requests answered by the gateway\n"
             "# TYPE gwctl_http_requests_total counter\n" SAMPLES_2
             "# HELP gwctl_process_cpu_seconds_total CPU time that a process has used\n"
             "# TYPE gwctl_process_cpu_seconds_total counter\n" SAMPLES_3);
}
END_TEST

START_TEST(openmetrics)
{
    begin(EXPOSITION_OPENMETRICS);
    write_some();
    end_with("# HELP http_requests Total number of HTTP requests\n"
             "# TYPE http_requests counter\n"
             "http_requests_total 15234\n"
             "# HELP http_request_duration_seconds HTTP request duration in seconds\n"
             "# TYPE http_request_duration_seconds summary\n"
             "# UNIT http_request_duration_seconds seconds\n" SAMPLES_1
             "# HELP http_requests_by_status HTTP requests by status code\n"
             "# TYPE http_requests_by_status unknown\n"
             "http_requests_by_status{code=\"5xx\"} 0\n"
             "# HELP cache_hit_rate Cache hit rate percentage\n"
             "# TYPE cache_hit_rate gauge\n"
             "cache_hit_rate 68.5\n"
             "# HELP gwctl_http_requests Requests answered by the gateway\n"
             "# TYPE gwctl_http_requests counter\n" SAMPLES_2
             "# HELP gwctl_process_cpu_seconds CPU time that a process has used\n"
             "# TYPE gwctl_process_cpu_seconds counter\n"
             "# UNIT gwctl_process_cpu_seconds seconds\n" SAMPLES_3 "# EOF\n");
}
END_TEST

// What lies on a bound is below it.
START_TEST(buckets)
{
    static const uint64_t durations[] = {0, 1000, 1001, 2500, 10000000, 10000001, UINT64_MAX};
    uint64_t counts[HISTOGRAM_BOUNDS] = {0};
    const char *labels[] = {"api"};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++)
        counts[histogram_bound(durations[i])]++;
    begin(EXPOSITION_TEXT);
    exposition.family = &families[ROUTE_DURATION];
    exposition_buckets(&exposition, labels, counts);
#define BUCKET(le, count)                                                                          \
    "gwctl_http_request_duration_seconds_bucket{route=\"api\",le=\"" le "\"} " count "\n"
    end_with(BUCKET("0.001", "2") BUCKET("0.0025", "4") BUCKET("0.005", "4") BUCKET("0.01", "4")
                 BUCKET("0.025", "4") BUCKET("0.05", "4") BUCKET("0.1", "4") BUCKET("0.25", "4")
                     BUCKET("0.5", "4") BUCKET("1.0", "4") BUCKET("2.5", "4") BUCKET("5.0", "4")
                         BUCKET("10.0", "5") BUCKET("+Inf", "7"));
}
END_TEST

// The rows of the table keep the rules of their kinds.
START_TEST(table)
{
    const struct family *family = &families[_i];
    size_t length = strlen(family->name);
    bool is_total = length > 6 && strcmp(family->name + length - 6, "_total") == 0;
    ck_assert_int_eq(is_total, family->kind == FAMILY_COUNTER);
    ck_assert(strlen(family->help) > 0 && strchr(family->help, '\n') == NULL);
    if (family->unit != NULL) {
        size_t end = length - (is_total ? 6 : 0), unit = strlen(family->unit);
        ck_assert_int_eq(strncmp(family->name + end - unit, family->unit, unit), 0);
        ck_assert_int_eq(family->name[end - unit - 1], '_');
    }
    for (int i = 0; i < _i; i++)
        ck_assert_str_ne(families[i].name, family->name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exposition");
    TCase *tests = tcase_create("exposition");
    tcase_add_test(tests, text);
    tcase_add_test(tests, openmetrics);
    tcase_add_test(tests, buckets);
    tcase_add_loop_test(tests, table, 0, FAMILIES);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
