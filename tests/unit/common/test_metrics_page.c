// The page and its columns: what a writer appends a reader finds, a successor goes on, too much
// goes to the overflow cells, and nonsense in a column leads nobody astray.
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/histogram.h"
#include "common/mem.h"
#include "common/metrics_writer.h"

static int fd;
static struct metrics_page *page;
static struct metrics_column *column;
static struct metrics_writer writer;

static void set_up(void)
{
    struct err err;
    fd = metrics_page_create(1700000000000, &err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    page = metrics_page_map(fd, &err);
    ck_assert_msg(page != NULL, "%s", err.text);
    column = &page->column[3];
    metrics_writer_init(&writer, column);
}

static void tear_down(void)
{
    metrics_writer_fini(&writer);
    metrics_page_unmap(page);
    close(fd);
}

static uint32_t name(const char *text)
{
    return metrics_writer_name(&writer, text, strlen(text));
}

static struct metric_cell *requests(const char *route, unsigned status)
{
    return metrics_writer_cell(&writer, &(struct metric_key){.family = METRIC_REQUESTS,
                                                             .name = {name(route)},
                                                             .first = METHOD_GET,
                                                             .second = (uint16_t)status});
}

START_TEST(page_is_sealed_and_checked)
{
    struct err err;
    ck_assert_int_eq(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ck_assert_uint_eq(page->created_ms, 1700000000000);
    page->created_ms++;
    ck_assert_ptr_null(metrics_page_map(fd, &err));
    metrics_page_unmap(NULL);
}
END_TEST

START_TEST(cells_are_found_again)
{
    struct metric_cell *cell = requests("services", 200);
    metric_add(cell, 2);
    ck_assert_ptr_eq(requests("services", 200), cell);
    ck_assert_ptr_ne(requests("services", 404), cell);
    ck_assert_ptr_ne(requests("vendors", 200), cell);
    metric_add(requests("vendors", 200), 3);
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_REQUESTS), 5);
    ck_assert_uint_eq(metrics_column_sum_of(column, METRIC_REQUESTS, METHOD_GET), 5);
    ck_assert_uint_eq(metrics_column_sum_of(column, METRIC_REQUESTS, METHOD_POST), 0);
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_OVERFLOWS), 0);
}
END_TEST

START_TEST(names)
{
    size_t length;
    uint32_t services = name("services");
    const char *text = metrics_column_name(column, services, &length);
    ck_assert_uint_eq(length, 8);
    ck_assert_mem_eq(text, "services", 8);
    ck_assert_uint_eq(name("services"), services);
    ck_assert_ptr_null(metrics_column_name(column, 0, &length));
    ck_assert_ptr_null(metrics_column_name(column, 100000, &length));
}
END_TEST

START_TEST(a_successor_goes_on)
{
    metric_add(requests("services", 200), 7);
    metrics_writer_fini(&writer);
    metrics_writer_init(&writer, column);
    metric_add(requests("services", 200), 1);
    ck_assert_uint_eq(requests("services", 200)->value, 8);
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_REQUESTS), 8);
}
END_TEST

START_TEST(too_many_cells_overflow)
{
    uint64_t counted = 0;
    for (unsigned route = 0; route < 200; route++) {
        char text[16];
        snprintf(text, sizeof text, "route%u", route);
        for (unsigned status = 100; status < 600; status++) {
            metric_add(requests(text, status), 1);
            counted++;
        }
    }
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_REQUESTS), counted);
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_OVERFLOWS),
                      counted - (METRICS_CELLS - METRICS_OVERFLOW_CELLS - 1));
    ck_assert_uint_le(metrics_column_cells(column),
                      METRICS_CELLS - METRICS_OVERFLOW_CELLS + 5); // a cell for each hundred
}
END_TEST

// When it is full, whatever comes still finds a place of its own kind: no sum goes without it.
START_TEST(the_overflow_has_place_for_all)
{
    uint64_t counted = 0;
    for (unsigned route = 0; metrics_column_sum(column, METRIC_OVERFLOWS) == 0; route++) {
        char text[16];
        snprintf(text, sizeof text, "route%u", route);
        for (unsigned status = 100; status < 600; status++, counted++)
            metric_add(requests(text, status), 1);
    }
    uint32_t known = name("known");
    for (unsigned i = 0; i < METHOD_COUNT * 500 * HISTOGRAM_BOUNDS; i++, counted++) {
        struct metric_key key = {.name = {known},
                                 .family = METRIC_REQUESTS,
                                 .first = (uint16_t)(i % METHOD_COUNT),
                                 .second = (uint16_t)(100 + i / METHOD_COUNT % 500),
                                 .bound = (uint16_t)(i / METHOD_COUNT / 500)};
        metric_add(metrics_writer_cell(&writer, &key), 1);
    }
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        struct metric_key key = {.family = METRIC_DURATION, .first = (uint16_t)i};
        metric_add(metrics_writer_cell(&writer, &key), 1);
    }
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_REQUESTS), counted);
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_DURATION), HISTOGRAM_BUCKETS);
    ck_assert_uint_lt(metrics_column_cells(column), METRICS_CELLS);
}
END_TEST

START_TEST(too_many_names_overflow)
{
    char text[METRICS_NAME_MAX + 1] = {0};
    uint64_t counted = 0;
    for (unsigned route = 0; route < 2000; route++, counted++) {
        memset(text, 'x', METRICS_NAME_MAX);
        snprintf(text, sizeof text, "%u", route);
        text[strlen(text)] = 'x';
        struct metric_key key = {.family = METRIC_DURATION_SUM,
                                 .name = {metrics_writer_name(&writer, text, METRICS_NAME_MAX)}};
        metric_add(metrics_writer_cell(&writer, &key), 1);
    }
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_DURATION_SUM), counted);
    ck_assert_uint_gt(metrics_column_sum(column, METRIC_OVERFLOWS), 900);
}
END_TEST

START_TEST(a_damaged_column_begins_anew)
{
    metric_add(requests("services", 200), 7);
    column->names[1] = (char)200; // the names tile no more
    metrics_writer_fini(&writer);
    metrics_writer_init(&writer, column);
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_REQUESTS), 0);
    metric_add(requests("services", 200), 1);
    ck_assert_uint_eq(metrics_column_sum(column, METRIC_REQUESTS), 1);
    column->cell_count = UINT32_MAX;
    column->names_used = UINT32_MAX;
    ck_assert_uint_eq(metrics_column_cells(column), METRICS_CELLS);
    metrics_writer_fini(&writer);
    metrics_writer_init(&writer, column);
    ck_assert_uint_eq(metrics_column_cells(column), 1);
}
END_TEST

START_TEST(errors_newest_first)
{
    struct metric_error *out = mem_zalloc(METRICS_ERRORS, sizeof *out);
    for (uint64_t i = 1; i <= METRICS_ERRORS + 10; i++)
        metrics_writer_error(&writer, ERRORS_SERVER, &(struct metric_error){.wall_ms = i});
    ck_assert_uint_eq(metrics_read_errors(&column->errors[ERRORS_CLIENT], out), 0);
    ck_assert_uint_eq(metrics_read_errors(&column->errors[ERRORS_SERVER], out), METRICS_ERRORS);
    ck_assert_uint_eq(out[0].wall_ms, METRICS_ERRORS + 10);
    ck_assert_uint_eq(out[METRICS_ERRORS - 1].wall_ms, 11);
    column->errors[ERRORS_SERVER].begun += 3; // killed while it wrote the third from there
    ck_assert_uint_eq(metrics_read_errors(&column->errors[ERRORS_SERVER], out), METRICS_ERRORS - 3);
    free(out);
}
END_TEST

START_TEST(methods)
{
    ck_assert_int_eq(metric_method("GET", 3), METHOD_GET);
    ck_assert_int_eq(metric_method("get", 3), METHOD_OTHER);
    ck_assert_int_eq(metric_method("OTHER", 5), METHOD_OTHER);
    for (unsigned i = 0; i < METHOD_COUNT; i++)
        ck_assert_uint_eq(metric_method(metric_method_name(i), strlen(metric_method_name(i))), i);
    ck_assert_str_eq(metric_method_name(200), "OTHER");
    ck_assert_str_eq(metric_failure_name(FAILURE_COUNT), "unknown");
    ck_assert_str_eq(metric_cache_name(CACHE_STALE), "stale");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("metrics_page");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, page_is_sealed_and_checked);
    tcase_add_test(tcase, cells_are_found_again);
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, a_successor_goes_on);
    tcase_add_test(tcase, too_many_cells_overflow);
    tcase_add_test(tcase, the_overflow_has_place_for_all);
    tcase_add_test(tcase, too_many_names_overflow);
    tcase_add_test(tcase, a_damaged_column_begins_anew);
    tcase_add_test(tcase, errors_newest_first);
    tcase_add_test(tcase, methods);
    Suite *suite = suite_create("metrics_page");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
