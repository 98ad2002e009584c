// Lists of CPUs: what they mean, and what is none.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cpu_list.h"

static void add(int cpu, void *context)
{
    char *text = context;
    sprintf(text + strlen(text), "%d ", cpu);
}

static const struct row {
    const char *text, *cpus; // NULL: no list
} rows[] = {
    {"0", "0 "},    {"2,0", "2 0 "},   {"0-3,6", "0 1 2 3 6 "},
    {"5-5", "5 "},  {"1023", "1023 "}, {"", NULL},
    {"a", NULL},    {"1,", NULL},      {",1", NULL},
    {"3-1", NULL},  {"1-", NULL},      {"-1", NULL},
    {"1024", NULL}, {"1 ,2", NULL},    {"1--2", NULL},
    {"0x1", NULL},  {"1-2-3", NULL},   {"99999999999999999999", NULL},
};

START_TEST(lists)
{
    char found[256] = "";
    ck_assert_int_eq(cpu_list_parse(rows[_i].text, add, found), rows[_i].cpus != NULL);
    ck_assert_int_eq(cpu_list_parse(rows[_i].text, NULL, NULL), rows[_i].cpus != NULL);
    if (rows[_i].cpus)
        ck_assert_str_eq(found, rows[_i].cpus);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpu_list");
    TCase *tests = tcase_create("cpu_list");
    tcase_add_loop_test(tests, lists, 0, sizeof rows / sizeof *rows);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
