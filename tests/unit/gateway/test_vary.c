// Names in Vary.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "vary.h"

static struct span text(const char *string)
{
    return (struct span){string, strlen(string)};
}

static const struct vary_row {
    const char *first, *second; // two lines
    const char *names;          // each with a blank behind it; NULL: everything
} rows[] = {
    {"", "", ""},
    {"Accept-Encoding", "", "Accept-Encoding "},
    {"b, A ,c", "C,a", "A b c "},
    {"foo, foo-bar", "fo", "fo foo foo-bar "},
    {",,", " ", ""},
    {"*", "", NULL},
    {"*, *", "", NULL},
    {", *", "", NULL},
    {"Foo, *", "", NULL},
    {"", "*", NULL},
    {"Foo", "bar, *", NULL},
    {"a b", "", NULL},
    {"\"a\"", "", NULL},
    {"a,b,c,d,e,f,g,h", "i,j,k,l,m,n,o,p,A", "a b c d e f g h i j k l m n o p "},
    {"a,b,c,d,e,f,g,h", "i,j,k,l,m,n,o,p,q", NULL},
};

START_TEST(names)
{
    const struct vary_row *row = &rows[_i];
    struct field fields[] = {{SPAN("Vary"), text(row->first)},
                             {SPAN("X-Vary"), SPAN("*")},
                             {SPAN("VARY"), text(row->second)}};
    struct vary vary;
    char found[256] = "";
    ck_assert_msg(vary_read(fields, 3, &vary) == (row->names != NULL), "row %d", _i);
    if (row->names == NULL)
        return;
    for (size_t i = 0; i < vary.count; ++i) {
        strncat(found, vary.names[i].bytes, vary.names[i].length);
        strcat(found, " ");
    }
    ck_assert_str_eq(found, row->names);
}
END_TEST

static const struct pair_row {
    const char *left, *right;
    bool are_equal;
} pairs[] = {
    {"", "", true},       {"a, b", "B,A", true},   {"a", "b", false},
    {"a", "a, b", false}, {"a, b", "a, c", false}, {"a", "aa", false},
};

START_TEST(the_same_names)
{
    struct vary left, right;
    struct field fields[] = {{SPAN("Vary"), text(pairs[_i].left)},
                             {SPAN("Vary"), text(pairs[_i].right)}};
    ck_assert(vary_read(&fields[0], 1, &left) && vary_read(&fields[1], 1, &right));
    ck_assert(vary_equal(&left, &right) == pairs[_i].are_equal);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vary");
    TCase *tests = tcase_create("vary");
    tcase_add_loop_test(tests, names, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_loop_test(tests, the_same_names, 0, (int)(sizeof(pairs) / sizeof(pairs[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
