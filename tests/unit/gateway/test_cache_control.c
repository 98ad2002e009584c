// Directives of Cache-Control.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cache_control.h"

static const struct row {
    const char *value;
    const char *found; // name(argument) of each
} rows[] = {
    {"", ""},
    {" , ,", ""},
    {"private", "private()"},
    {"public, max-age=3600", "public()max-age(3600)"},
    {"No-Store,PRIVATE", "No-Store()PRIVATE()"},
    {"max-age = 1 ,a", "max-age(1)a()"},
    {"x=\"private, no-store\"", "x(\"private, no-store\")"},
    {"x=\"a\\\", private\", b", "x(\"a\\\", private\")b()"},
    {"x=\"a, private", "x(\"a)private()"},
    {"x=\"a\\", "x(\"a\\)"},
    {"private=\"set-cookie\"", "private(\"set-cookie\")"},
    {"no-store;foo", "no-store(;foo)"},
    {"\"private\"", "(\"private\")"},
    {"'private'", "'private'()"},
    {"=private", "(private)"},
};

START_TEST(directives)
{
    const struct row *row = &rows[_i];
    struct span rest = {row->value, strlen(row->value)};
    struct cache_directive directive;
    char found[256] = "";
    while (cache_control_next(&rest, &directive)) {
        strncat(found, directive.name.bytes, directive.name.length);
        strcat(found, "(");
        strncat(found, directive.argument.bytes, directive.argument.length);
        strcat(found, ")");
    }
    ck_assert_str_eq(found, row->found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_control");
    TCase *tests = tcase_create("cache_control");
    tcase_add_loop_test(tests, directives, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
