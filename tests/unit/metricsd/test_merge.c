#include "columns_test.h"

#include "common/histogram.h"
#include "merge.h"
#include "totals.h"

static struct merge *merge;

static void set_up(void)
{
    columns_test_open();
    merge = merge_new(test_metrics);
}

static void tear_down(void)
{
    merge_free(merge);
    columns_test_close();
}

static size_t count_all(void)
{
    size_t count = 0;
    for (unsigned family = 1; family < METRIC_FAMILIES; family++)
        count += merge_family(merge, (enum metric_family)family).count;
    return count;
}

// 0: there is no such series, or nothing was counted.
static uint64_t value_of(enum metric_family family, const char *label)
{
    struct series_range range = merge_family(merge, family);
    for (size_t i = 0; i < range.count; i++)
        if (strcmp(range.items[i]->label[0], label) == 0)
            return range.items[i]->value;
    return 0;
}

START_TEST(nothing_is_nothing)
{
    merge_read(merge);
    merge_read_baseline(merge);
    ck_assert_uint_eq(count_all(), 0);
    ck_assert_uint_eq(value_of(METRIC_RETRIES, "api"), 0);
}
END_TEST

START_TEST(same_texts_are_one_series)
{
    columns_test_count(1, METRIC_RETRIES, "zeta", NULL, 0, 0, 1); // other places in the names
    columns_test_count(0, METRIC_REQUESTS, "api", NULL, METHOD_GET, 200, 3);
    columns_test_count(1, METRIC_REQUESTS, "api", NULL, METHOD_GET, 200, 4);
    columns_test_count(1, METRIC_REQUESTS, "api", NULL, METHOD_POST, 200, 5);
    columns_test_count(1, METRIC_REQUESTS, "app", NULL, METHOD_GET, 404, 6);
    merge_read(merge);
    struct series_range range = merge_family(merge, METRIC_REQUESTS);
    ck_assert_uint_eq(range.count, 3);
    ck_assert_uint_eq(range.items[0]->value, 7);
    ck_assert_str_eq(range.items[0]->label[0], "api");
    ck_assert_uint_eq(range.items[1]->value, 5);
    ck_assert_uint_eq(range.items[2]->value, 6);
    columns_test_count_requests(1, "app", METHOD_GET, 404, 2000, 8);
    merge_read(merge);
    range = merge_family(merge, METRIC_REQUESTS);
    ck_assert_uint_eq(range.count, 4); // one of another bound
    ck_assert_uint_eq(range.items[2]->value, 6);
    ck_assert_uint_eq(range.items[3]->value, 8);
    ck_assert_uint_eq(range.items[3]->bound, histogram_bound(2000));
    ck_assert_uint_eq(value_of(METRIC_RETRIES, "zeta"), 1);
    ck_assert_uint_eq(value_of(METRIC_RETRIES, "api"), 0);
}
END_TEST

START_TEST(sorted_by_labels_then_numbers)
{
    columns_test_count(0, METRIC_UPSTREAM_REQUESTS, "b", "x", 200, 0, 1);
    columns_test_count(0, METRIC_UPSTREAM_REQUESTS, "a", "y", 200, 0, 2);
    columns_test_count(0, METRIC_UPSTREAM_REQUESTS, "a", "x", 500, 0, 3);
    columns_test_count(0, METRIC_UPSTREAM_REQUESTS, "a", "x", 200, 0, 4);
    merge_read(merge);
    struct series_range range = merge_family(merge, METRIC_UPSTREAM_REQUESTS);
    static const uint64_t expected[] = {4, 3, 2, 1};
    ck_assert_uint_eq(range.count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(range.items[i]->value, expected[i]);
}
END_TEST

START_TEST(cells_that_appear_and_columns_that_are_taken_over)
{
    columns_test_count(0, METRIC_RETRIES, "api", NULL, 0, 0, 1);
    merge_read(merge);
    columns_test_count(0, METRIC_RETRIES, "api", NULL, 0, 0, 1);
    columns_test_count(0, METRIC_RETRIES, "new", NULL, 0, 0, 1);
    columns_test_take_over(0);
    columns_test_count(0, METRIC_RETRIES, "api", NULL, 0, 0, 1);
    merge_read(merge);
    ck_assert_uint_eq(value_of(METRIC_RETRIES, "api"), 3);
    ck_assert_uint_eq(value_of(METRIC_RETRIES, "new"), 1);
}
END_TEST

// The column has as many cells as before, or more, but they are others.
START_TEST(column_that_was_begun_anew)
{
    columns_test_count(0, METRIC_RETRIES, "api", NULL, 0, 0, 5);
    columns_test_count(1, METRIC_RETRIES, "api", NULL, 0, 0, 7);
    merge_read(merge);
    test_metrics->column[0].names_used = 0;
    columns_test_take_over(0);
    columns_test_count(0, METRIC_REQUESTS, "other", NULL, METHOD_GET, 200, 2);
    columns_test_count(0, METRIC_RETRIES, "third", NULL, 0, 0, 1);
    merge_read(merge);
    ck_assert_uint_eq(value_of(METRIC_RETRIES, "api"), 7);
    ck_assert_uint_eq(value_of(METRIC_RETRIES, "third"), 1);
    ck_assert_uint_eq(merge_family(merge, METRIC_REQUESTS).items[0]->value, 2);
}
END_TEST

START_TEST(column_not_opened_is_not_read)
{
    columns_test_count(0, METRIC_RETRIES, "api", NULL, 0, 0, 5);
    test_metrics->opened[0] = 0;
    merge_read(merge);
    ck_assert_uint_eq(count_all(), 0);
}
END_TEST

static void put_cell(uint32_t at, uint32_t name, unsigned family, unsigned first, unsigned second)
{
    struct metrics_column *column = &test_metrics->column[0];
    column->cells[at].key = (struct metric_key){.name = {name},
                                                .family = (uint16_t)family,
                                                .first = (uint16_t)first,
                                                .second = (uint16_t)second};
    column->cells[at].value = 1;
    column->cell_count = at + 1;
}

START_TEST(nonsense_is_left_out)
{
    columns_test_count(0, METRIC_RETRIES, "api", NULL, 0, 0, 5);
    struct metrics_column *column = &test_metrics->column[0];
    uint32_t at = column->cell_count;
    size_t sensible = at;
    put_cell(at++, 1, METRIC_NONE, 0, 0);
    put_cell(at++, 1, METRIC_FAMILIES, 0, 0);
    put_cell(at++, 1, 65535, 0, 0);
    put_cell(at++, 0, METRIC_RETRIES, 0, 0);        // no name
    put_cell(at++, 1u << 31, METRIC_RETRIES, 0, 0); // outside of the names
    put_cell(at++, 1, METRIC_RETRIES, 1, 0);
    put_cell(at++, 1, METRIC_REQUESTS, METHOD_COUNT, 200);
    put_cell(at++, 1, METRIC_REQUESTS, 0, 99);
    put_cell(at++, 1, METRIC_REQUESTS, 0, 0);
    put_cell(at++, 1, METRIC_REQUESTS, 0, 1000);
    put_cell(at++, 1, METRIC_REQUESTS, 0, 200);
    column->cells[at - 1].key.bound = HISTOGRAM_BOUNDS;
    put_cell(at++, 1, METRIC_RETRIES, 0, 0);
    column->cells[at - 1].key.bound = 1;
    put_cell(at++, 0, METRIC_DURATION, HISTOGRAM_BUCKETS, 0);
    put_cell(at++, 1, METRIC_CACHE, CACHE_COUNT, 0);
    put_cell(at++, 1, METRIC_UPSTREAM_REQUESTS, 6, 0);
    put_cell(at++, 1, METRIC_UPSTREAM_FAILURES, FAILURE_COUNT, 0);
    merge_read(merge);
    ck_assert_uint_eq(count_all(), sensible);
    test_metrics->column[0].cell_count = UINT32_MAX;
    merge_read(merge);
    merge_read(merge);
    ck_assert_uint_eq(value_of(METRIC_RETRIES, "api"), 5);
}
END_TEST

START_TEST(labels_are_made_safe)
{
    columns_test_count(0, METRIC_RETRIES, "a\nb\xff", NULL, 0, 0, 1);
    columns_test_count(1, METRIC_RETRIES,
                       "a\x01"
                       "b\xfe",
                       NULL, 0, 0, 2);
    merge_read(merge);
    ck_assert_uint_eq(value_of(METRIC_RETRIES, "a?b?"), 3);
    ck_assert_uint_eq(merge_family(merge, METRIC_RETRIES).count, 1);
}
END_TEST

// As many series as there is room for at first: looking for one that is there already must not
// leave anybody with where they were.
START_TEST(series_that_move)
{
    for (unsigned i = 0; i < 600; i++) {
        columns_test_count(0, METRIC_REQUESTS, "api", NULL, METHOD_GET, 100 + i, i);
        merge_read(merge);
        columns_test_count(1 + i % 7, METRIC_REQUESTS, "api", NULL, METHOD_GET, 100 + i / 7, 0);
        merge_read(merge);
        struct series_range range = merge_family(merge, METRIC_REQUESTS);
        ck_assert_uint_eq(range.count, i + 1);
        ck_assert_uint_eq(range.items[i]->value, i);
    }
}
END_TEST

START_TEST(overflow_has_no_second_name)
{
    struct metrics_writer *writer = columns_test_writer(0);
    struct metric_key key = {.family = METRIC_UPSTREAM_REQUESTS, .first = 502};
    metric_add(metrics_writer_cell(writer, &key), 4);
    merge_read(merge);
    struct series_range range = merge_family(merge, METRIC_UPSTREAM_REQUESTS);
    ck_assert_uint_eq(range.count, 1);
    ck_assert_str_eq(range.items[0]->label[0], METRIC_ROUTE_OVERFLOW);
    ck_assert_str_eq(range.items[0]->label[1], "");
    ck_assert_uint_eq(range.items[0]->first, 5);
    ck_assert_uint_eq(range.items[0]->value, 4);
}
END_TEST

// Random counting in random columns, some of which are taken over in between: no sum goes back,
// and what is counted by method, by status and in all is the same.
static void check_sums(const struct totals *totals, uint64_t counted)
{
    uint64_t by_method = 0, by_status = 0;
    for (unsigned i = 0; i < METHOD_COUNT; i++)
        by_method += totals->by_method[i];
    for (unsigned i = 0; i < TOTALS_STATUSES; i++)
        by_status += totals->by_status[i];
    ck_assert_uint_eq(totals->requests, counted);
    ck_assert_uint_eq(by_method, counted);
    ck_assert_uint_eq(by_status, counted);
    ck_assert_uint_eq(histogram_count(totals->duration), counted);
}

START_TEST(sums_agree_and_never_go_back)
{
    static const char *const routes[] = {"a", "b", "c", "a long one", "unmatched"};
    static const unsigned statuses[] = {200, 204, 304, 404, 500, 502, 599};
    struct totals totals;
    uint64_t counted = 0;
    srand((unsigned)_i);
    for (int round = 0; round < 60; round++) {
        for (int i = rand() % 40; i > 0; i--) {
            unsigned column = (unsigned)rand() % 8, amount = (unsigned)rand() % 3;
            const char *route = routes[rand() % 5];
            if (rand() % 10 == 0)
                columns_test_take_over(column);
            columns_test_count_requests(column, route, (enum metric_method)(rand() % METHOD_COUNT),
                                        statuses[rand() % 7], (uint64_t)rand() % 200000, amount);
            counted += amount;
        }
        merge_read(merge);
        totals_read(&totals, merge, TOTALS_EVER);
        check_sums(&totals, counted);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("merge");
    TCase *tests = tcase_create("merge");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nothing_is_nothing);
    tcase_add_test(tests, same_texts_are_one_series);
    tcase_add_test(tests, sorted_by_labels_then_numbers);
    tcase_add_test(tests, cells_that_appear_and_columns_that_are_taken_over);
    tcase_add_test(tests, column_that_was_begun_anew);
    tcase_add_test(tests, column_not_opened_is_not_read);
    tcase_add_test(tests, nonsense_is_left_out);
    tcase_add_test(tests, labels_are_made_safe);
    tcase_add_test(tests, series_that_move);
    tcase_add_test(tests, overflow_has_no_second_name);
    tcase_add_loop_test(tests, sums_agree_and_never_go_back, 0, 20);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
