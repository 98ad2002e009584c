// What Accept says of one media type.
#include <check.h>
#include <string.h>

#include "accept.h"

static const struct row {
    const char *first, *second; // Accept fields; NULL: not there
    unsigned quality;
} rows[] = {
    {NULL, NULL, 0},
    {"", NULL, 0},
    {"application/health+json", NULL, 1000},
    {"Application/Health+JSON", NULL, 1000},
    {"text/html, application/health+json;q=0.8", NULL, 800},
    {"application/health+json ; q=0.125 , */*", NULL, 125},
    {"application/health+json;charset=utf-8;q=0.5", NULL, 500},
    {"application/health+json;Q=0", NULL, 0},
    {"application/health+json;q=0.000", NULL, 0},
    {"application/health+json;q=1.000", NULL, 1000},
    {"application/health+json;q=1.9", NULL, 1000},
    {"application/health+json;q=x", NULL, 1000},
    {"application/health+json;q=", NULL, 1000},
    {"application/health+json;q=0.x", NULL, 1000},
    {"application/health+json;", NULL, 1000},
    {"*/*", NULL, 0},
    {"application/*", NULL, 0},
    {"application/json", NULL, 0},
    {"application/health+json2", NULL, 0},
    {";q=1", NULL, 0},
    {"text/html", "application/health+json;q=0.25", 250},
};

START_TEST(qualities)
{
    const struct row *row = &rows[_i];
    struct field fields[3] = {{SPAN("Host"), SPAN("application/health+json")}};
    size_t count = 1;
    if (row->first != NULL)
        fields[count++] = (struct field){SPAN("Accept"), {row->first, strlen(row->first)}};
    if (row->second != NULL)
        fields[count++] = (struct field){SPAN("accept"), {row->second, strlen(row->second)}};
    ck_assert_uint_eq(accept_quality(fields, count, SPAN("application/health+json")), row->quality);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accept");
    TCase *tests = tcase_create("accept");
    tcase_add_loop_test(tests, qualities, 0, sizeof rows / sizeof *rows);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
