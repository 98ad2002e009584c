// A metrics page in the heap of a test, and counting in it as gateway workers do.
#ifndef GW_TEST_COLUMNS_TEST_H
#define GW_TEST_COLUMNS_TEST_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/histogram.h"
#include "common/metrics_writer.h"

static struct metrics_page *test_metrics;
static struct metrics_writer test_writers[8];

static inline void columns_test_open(void)
{
    struct err err;
    int fd = metrics_page_create(1700000000000, &err);
    ck_assert_int_ne(fd, -1);
    test_metrics = metrics_page_map(fd, &err);
    ck_assert_ptr_nonnull(test_metrics);
    close(fd);
    memset(test_writers, 0, sizeof test_writers);
}

static inline void columns_test_close(void)
{
    for (size_t i = 0; i < 8; i++)
        metrics_writer_fini(&test_writers[i]);
    metrics_page_unmap(test_metrics);
}

static inline struct metrics_writer *columns_test_writer(unsigned column)
{
    if (test_writers[column].column == NULL) {
        metrics_writer_init(&test_writers[column], &test_metrics->column[column]);
        test_metrics->opened[column] = 1;
    }
    return &test_writers[column];
}

// A new process takes the column over.
static inline void columns_test_take_over(unsigned column)
{
    metrics_writer_fini(columns_test_writer(column));
    test_writers[column].column = NULL;
    columns_test_writer(column);
}

static inline void columns_test_count(unsigned column, enum metric_family family, const char *name,
                                      const char *second_name, unsigned first, unsigned second,
                                      uint64_t amount)
{
    struct metrics_writer *writer = columns_test_writer(column);
    struct metric_key key = {
        .family = (uint16_t)family, .first = (uint16_t)first, .second = (uint16_t)second};
    if (name != NULL)
        key.name[0] = metrics_writer_name(writer, name, strlen(name));
    if (second_name != NULL)
        key.name[1] = metrics_writer_name(writer, second_name, strlen(second_name));
    metric_add(metrics_writer_cell(writer, &key), amount);
}

// Answers of a route, in the cells that the gateway takes for them.
static inline void columns_test_count_requests(unsigned column, const char *route,
                                               enum metric_method method, unsigned status,
                                               uint64_t us, uint64_t amount)
{
    struct metrics_writer *writer = columns_test_writer(column);
    struct metric_key key = {.name = {metrics_writer_name(writer, route, strlen(route))},
                             .family = METRIC_REQUESTS,
                             .first = (uint16_t)method,
                             .second = (uint16_t)status,
                             .bound = (uint16_t)histogram_bound(us)};
    metric_add(metrics_writer_cell(writer, &key), amount);
    columns_test_count(column, METRIC_DURATION, NULL, NULL, histogram_bucket(us), 0, amount);
    columns_test_count(column, METRIC_DURATION_SUM, route, NULL, 0, 0, us * amount);
}

#endif
