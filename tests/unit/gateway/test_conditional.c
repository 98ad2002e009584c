// If-None-Match and If-Modified-Since against what is stored.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "conditional.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sunday, 06-Nov-94 08:49:38 GMT"

static struct span text(const char *string)
{
    return (struct span){string, strlen(string)};
}

static const struct row {
    const char *tags, *since; // NULL: not there
    const char *etag, *last_modified;
    bool is_not_modified;
} rows[] = {
    {NULL, NULL, "\"a\"", DATE, false},
    {"\"a\"", NULL, "\"a\"", "", true},
    {"\"b\"", NULL, "\"a\"", "", false},
    {"\"A\"", NULL, "\"a\"", "", false},
    {"W/\"a\"", NULL, "\"a\"", "", true},
    {"\"a\"", NULL, "W/\"a\"", "", true},
    {"W/\"a\"", NULL, "W/\"a\"", "", true},
    {"w/\"a\"", NULL, "\"a\"", "", false},
    {"\"x\", \"a\" ,\"y\"", NULL, "\"a\"", "", true},
    {",\"x\",W/\"a\",", NULL, "\"a\"", "", true},
    {"\"x, \"a\"", NULL, "\"a\"", "", false},
    {"\"x,y\", \"z\"", NULL, "\"x,y\"", "", true},
    {"\"x,y\", \"z\"", NULL, "\"z\"", "", true},
    {"a, b", NULL, "b", "", true},
    {"a", NULL, "\"a\"", "", false},
    {"*", NULL, "\"a\"", "", true},
    {"*", NULL, "", "", true},
    {"\"*\"", NULL, "\"a\"", "", false},
    {"", NULL, "", "", false},
    {"\"\"", NULL, "\"\"", "", true},
    {"\"a\"", NULL, "", "", false},
    {"W/", NULL, "W/", "", false},
    // If-None-Match wins
    {"\"b\"", DATE, "\"a\"", DATE, false},
    {"\"a\"", EARLIER, "\"a\"", DATE, true},
    {"\"a\"", DATE, "", DATE, false},
    {NULL, DATE, "\"a\"", DATE, true},
    {NULL, LATER, "", DATE, true},
    {NULL, EARLIER, "", DATE, false},
    {NULL, DATE, "", "", false},
    {NULL, DATE, "", "yesterday", false},
    {NULL, "yesterday", "", DATE, false},
    {NULL, "Sun, 06 Nov 1994 08:49:37 UTC", "", DATE, false},
    {NULL, "yesterday", "", "yesterday", false},
};

START_TEST(conditions)
{
    const struct row *row = &rows[_i];
    struct field fields[3] = {{SPAN("Accept"), SPAN("\"a\"")}};
    size_t count = 1;
    if (row->tags != NULL)
        fields[count++] = (struct field){SPAN("If-None-Match"), text(row->tags)};
    if (row->since != NULL)
        fields[count++] = (struct field){SPAN("IF-MODIFIED-SINCE"), text(row->since)};
    ck_assert_msg(conditional_is_not_modified(fields, count, text(row->etag),
                                              text(row->last_modified),
                                              1800000000) == row->is_not_modified,
                  "row %d", _i);
}
END_TEST

START_TEST(several_lines)
{
    struct field fields[] = {{SPAN("if-none-match"), SPAN("\"a\"")},
                             {SPAN("if-none-match"), SPAN("\"b\"")},
                             {SPAN("if-modified-since"), SPAN(DATE)},
                             {SPAN("if-modified-since"), SPAN(DATE)}};
    ck_assert(conditional_is_not_modified(fields, 4, SPAN("\"a\""), SPAN(""), 0));
    ck_assert(conditional_is_not_modified(fields, 4, SPAN("\"b\""), SPAN(""), 0));
    ck_assert(!conditional_is_not_modified(fields, 4, SPAN("\"c\""), SPAN(DATE), 0));
    ck_assert(!conditional_is_not_modified(fields + 2, 2, SPAN(""), SPAN(DATE), 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conditional");
    TCase *tests = tcase_create("conditional");
    tcase_add_loop_test(tests, conditions, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, several_lines);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
