#include <check.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "endpoints.h"
#include "processes.h"

static struct processes processes;
static struct endpoints endpoints;
static struct err err;

static void tear_down(void)
{
    processes_clear(&processes);
    endpoints_clear(&endpoints);
}

static int set(const char *text)
{
    struct json_object *list = json_tokener_parse(text);
    ck_assert_ptr_nonnull(list);
    int result = processes_set(&processes, list, &err);
    json_object_put(list);
    return result;
}

static int set_endpoints(const char *text)
{
    struct json_object *args = json_tokener_parse(text);
    ck_assert_ptr_nonnull(args);
    int result = endpoints_set(&endpoints, args, &err);
    json_object_put(args);
    return result;
}

START_TEST(list_is_sorted_and_checked)
{
    ck_assert_int_eq(set("[{\"app\":\"web\",\"id\":3,\"pid\":7,\"role\":\"gateway\",\"column\":5,"
                         "\"state\":\"online\",\"started_ms\":1000,\"restarts\":{\"crash\":2},"
                         "\"log_lines_lost\":9,\"memory_limit\":4096},"
                         "{\"app\":\"api\",\"id\":1,\"log_lines_lost\":-1,\"memory_limit\":-1},{"
                         "\"app\":\"double\",\"id\":3}]"),
                     0);
    ck_assert_uint_eq(processes.count, 2);
    ck_assert_str_eq(processes.items[0].app, "api");
    ck_assert_int_eq(processes.items[0].column, -1);
    ck_assert_int_eq(processes.items[0].pid, 0);
    const struct process *web = &processes.items[1];
    ck_assert(process_is_online(web) && process_has_role(web, "gateway"));
    ck_assert_int_eq(web->column, 5);
    ck_assert_str_eq(web->restarts[0].reason, "crash");
    ck_assert_uint_eq(web->restarts[0].count, 2);
    ck_assert_uint_eq(web->log_lines_lost, 9);
    ck_assert_uint_eq(processes.items[0].log_lines_lost, 0);
    ck_assert_uint_eq(web->memory_limit_bytes, 4096);
    ck_assert_uint_eq(processes.items[0].memory_limit_bytes, 0);
    ck_assert_int_eq(set("[{\"app\":\"new\",\"id\":1},{\"id\":2}]"), -1);
    ck_assert_uint_eq(processes.count, 2); // as before
    ck_assert_int_eq(set("[{\"app\":\"a\",\"id\":1,\"column\":512,\"pid\":-3}]"), 0);
    ck_assert_int_eq(processes.items[0].column, -1);
    ck_assert_int_eq(processes.items[0].pid, 0);
}
END_TEST

START_TEST(turns)
{
    ck_assert_ptr_null(processes_next(&processes));
    ck_assert_int_eq(set("[{\"app\":\"a\",\"id\":0}]"), 0);
    ck_assert_ptr_null(processes_next(&processes));
    ck_assert_int_eq(set("[{\"app\":\"a\",\"id\":0,\"pid\":10},{\"app\":\"b\",\"id\":1},"
                         "{\"app\":\"c\",\"id\":2,\"pid\":12}]"),
                     0);
    static const int order[] = {10, 12, 12, 10, 12}; // the new ones, then in turns
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(processes_has_new(&processes), i < 2);
        ck_assert_int_eq(processes_next(&processes)->pid, order[i]);
    }
    ck_assert_int_eq(set("[{\"app\":\"a\",\"id\":0,\"pid\":10},{\"app\":\"b\",\"id\":1},"
                         "{\"app\":\"c\",\"id\":2,\"pid\":13}]"),
                     0);
    ck_assert_int_eq(processes_next(&processes)->pid, 13);
    ck_assert(!processes_has_new(&processes));
}
END_TEST

START_TEST(cpu_never_goes_back)
{
    struct procfs_sample sample = {.start_ticks = 5, .cpu_us = 1000000};
    ck_assert_int_eq(set("[{\"app\":\"a\",\"id\":0,\"pid\":10,\"started_ms\":1}]"), 0);
    process_enter(&processes.items[0], &sample, 1000);
    ck_assert(isnan(processes.items[0].cpu_share));
    sample.cpu_us = 1500000;
    process_enter(&processes.items[0], &sample, 3000);
    ck_assert_double_eq(processes.items[0].cpu_share, 0.25);
    sample.cpu_us = 1400000;
    process_enter(&processes.items[0], &sample, 4000);
    ck_assert_uint_eq(processes.items[0].sample.cpu_us, 1500000);
    sample = (struct procfs_sample){.start_ticks = 6, .cpu_us = 9000000}; // the pid's next owner
    process_enter(&processes.items[0], &sample, 5000);
    ck_assert_uint_eq(processes.items[0].sample.cpu_us, 1500000);
    ck_assert_int_eq(set("[{\"app\":\"a\",\"id\":0,\"pid\":10,\"started_ms\":1}]"), 0);
    ck_assert_uint_eq(processes.items[0].sample.cpu_us, 1500000);
    ck_assert_int_eq(set("[{\"app\":\"a\",\"id\":0,\"pid\":10,\"started_ms\":2}]"), 0);
    ck_assert(!processes.items[0].is_sampled);
}
END_TEST

START_TEST(memory_is_the_share_where_it_is_known)
{
    struct procfs_sample sample = {.rss_bytes = 10, .pss_bytes = 4, .has_pss = true};
    ck_assert_int_eq(set("[{\"app\":\"a\",\"id\":0,\"pid\":10}]"), 0);
    ck_assert_uint_eq(process_memory(&processes.items[0]), 0);
    process_enter(&processes.items[0], &sample, 1);
    ck_assert_uint_eq(process_memory(&processes.items[0]), 4);
    sample.has_pss = false;
    process_enter(&processes.items[0], &sample, 2);
    ck_assert_uint_eq(process_memory(&processes.items[0]), 10);
}
END_TEST

START_TEST(own_process)
{
    struct procfs_sample sample;
    ck_assert_int_eq(procfs_read(getpid(), &sample), 0);
    ck_assert_uint_gt(sample.rss_bytes, 0);
    ck_assert(sample.has_pss && sample.pss_bytes > 0);
    ck_assert(sample.has_fds && sample.fds >= 3);
    ck_assert_int_eq(procfs_read(0x7ffffffe, &sample), -1);
}
END_TEST

START_TEST(texts_of_the_kernel)
{
    struct procfs_sample sample = {0};
    ck_assert(
        procfs_parse_rollup("0-f ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss:   7 kB\n", &sample));
    ck_assert_uint_eq(sample.pss_bytes, 7 * 1024);
    ck_assert(!procfs_parse_rollup("", &sample));
}
END_TEST

START_TEST(endpoint_sets)
{
    ck_assert_int_eq(set_endpoints("{\"upstreams\":{\"web\":[{\"name\":\"w#0\",\"index\":3}],"
                                   "\"api\":[{\"name\":\"api#1\",\"index\":1},"
                                   "{\"name\":\"api#0\",\"index\":0}]}}"),
                     0);
    ck_assert_uint_eq(endpoints.count, 3);
    ck_assert_str_eq(endpoints.items[0].name, "api#0");
    ck_assert_uint_eq(endpoints_count(&endpoints, "api"), 2);
    ck_assert_uint_eq(endpoints_count(&endpoints, "none"), 0);
    ck_assert_int_eq(set_endpoints("{\"upstreams\":{\"a\":[{\"name\":\"x\",\"index\":1024}]}}"),
                     -1);
    ck_assert_int_eq(set_endpoints("{\"upstreams\":{\"a\":[7]}}"), -1);
    ck_assert_uint_eq(endpoints.count, 3); // as before
    ck_assert_int_eq(set_endpoints("{}"), 0);
    ck_assert_uint_eq(endpoints.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("processes");
    TCase *tests = tcase_create("processes");
    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_test(tests, list_is_sorted_and_checked);
    tcase_add_test(tests, turns);
    tcase_add_test(tests, cpu_never_goes_back);
    tcase_add_test(tests, memory_is_the_share_where_it_is_known);
    tcase_add_test(tests, own_process);
    tcase_add_test(tests, texts_of_the_kernel);
    tcase_add_test(tests, endpoint_sets);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
