// What is too much memory, and when: a table.

#include <check.h>
#include <stdlib.h>

#include "memory_cap.h"

enum { LONG_AGO = 1000, NOW = 50000 };

static const struct row {
    uint64_t soft, hard, bytes, tried_ms;
    enum memory_verdict verdict;
} rows[] = {
    {0, 0, UINT64_MAX, 0, MEMORY_FINE},
    {100, 0, 100, 0, MEMORY_FINE},
    {100, 0, 101, 0, MEMORY_RELOAD},
    {100, 0, 150, 0, MEMORY_RELOAD},
    {100, 0, 151, 0, MEMORY_KILL}, // one and a half
    {100, 200, 200, 0, MEMORY_RELOAD},
    {100, 200, 201, 0, MEMORY_KILL},
    {0, 200, 200, 0, MEMORY_FINE},
    {0, 200, 201, 0, MEMORY_KILL},
    {100, 0, 101, NOW - 9999, MEMORY_FINE}, // one was just tried
    {100, 0, 101, NOW - 10000, MEMORY_RELOAD},
    {100, 0, 101, LONG_AGO, MEMORY_RELOAD},
    {100, 0, 151, NOW, MEMORY_KILL},
};

static struct memory_cap cap(const struct row *row)
{
    struct app_config config = {.max_memory_restart_bytes = (int64_t)row->soft,
                                .max_memory_kill_bytes = (int64_t)row->hard};
    return memory_cap_of(&config);
}

START_TEST(verdicts)
{
    struct memory_cap of = cap(&rows[_i]);
    ck_assert_int_eq(memory_cap_judge(&of, rows[_i].bytes, rows[_i].tried_ms, NOW),
                     rows[_i].verdict);
    // What is not above the lowest need not be looked at.
    if (rows[_i].bytes <= memory_cap_lowest(&of))
        ck_assert_int_eq(rows[_i].verdict, MEMORY_FINE);
}
END_TEST

START_TEST(the_lowest)
{
    struct memory_cap none = cap(&(struct row){0}), soft = cap(&(struct row){.soft = 100}),
                      hard = cap(&(struct row){.hard = 200});
    ck_assert_uint_eq(memory_cap_lowest(&none), UINT64_MAX);
    ck_assert_uint_eq(memory_cap_lowest(&soft), 100);
    ck_assert_uint_eq(memory_cap_lowest(&hard), 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory_cap");
    TCase *tests = tcase_create("memory_cap");
    tcase_add_loop_test(tests, verdicts, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tests, the_lowest);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
