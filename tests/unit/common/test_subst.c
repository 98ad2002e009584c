// Variables in strings.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/subst.h"

static const struct row {
    const char *text, *expanded; // NULL: refused
} rows[] = {
    {"", ""},
    {"plain", "plain"},
    {"a${SET}b${SET}", "avalueb"
                       "value"},
    {"${SET:-x}", "value"},
    {"${UNSET:-x y}", "x y"},
    {"${UNSET:-}", ""},
    {"${EMPTY:-x}", "x"},
    {"[${EMPTY}]", "[]"},
    {"${UNSET:-${SET}", "${SET"},
    {"${UNSET:-$$}", "$$"},
    {"$$", "$"},
    {"$${SET}", "${SET}"},
    {"$", "$"},
    {"$SET 5$", "$SET 5$"},
    {"${DOLLAR}", "${SET}"},
    {"${UNSET}", NULL},
    {"${SET", NULL},
    {"${}", NULL},
    {"${:-x}", NULL},
    {"${1A}", NULL},
    {"${A B}", NULL},
    {"${SET:+x}", NULL},
};

static const char *look_up(const char *name, void *context)
{
    ck_assert_str_eq(context, "context");
    return strcmp(name, "SET") == 0      ? "value"
           : strcmp(name, "EMPTY") == 0  ? ""
           : strcmp(name, "DOLLAR") == 0 ? "${SET}"
                                         : NULL;
}

START_TEST(expansions)
{
    struct err err = {""};
    char context[] = "context";
    char *expanded = subst_expand(rows[_i].text, look_up, context, &err);
    ck_assert_pstr_eq(expanded, rows[_i].expanded);
    ck_assert_msg(expanded || err.text[0], "no sentence");
    free(expanded);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("subst");
    TCase *tests = tcase_create("subst");
    tcase_add_loop_test(tests, expansions, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
