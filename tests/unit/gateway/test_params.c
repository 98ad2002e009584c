// Pairs of queries and cookies.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "params.h"

static struct span text(const char *string)
{
    return (struct span){string, strlen(string)};
}

static void check_span(struct span found, const char *expected)
{
    ck_assert_msg(found.length == strlen(expected) &&
                      memcmp(found.bytes, expected, found.length) == 0,
                  "\"%.*s\" is not \"%s\"", (int)found.length, found.bytes, expected);
}

START_TEST(queries)
{
    struct span rest = text("&a=1&&b=x=y&c&=&d= ");
    struct param param;
    ck_assert(params_next_query(&rest, &param));
    check_span(param.name, "a");
    check_span(param.value, "1");
    ck_assert(params_next_query(&rest, &param));
    check_span(param.text, "b=x=y");
    check_span(param.value, "x=y");
    ck_assert(params_next_query(&rest, &param) && !param.has_value);
    check_span(param.name, "c");
    ck_assert(params_next_query(&rest, &param) && param.has_value);
    check_span(param.text, "=");
    ck_assert(params_next_query(&rest, &param));
    check_span(param.value, " ");
    ck_assert(!params_next_query(&rest, &param));
}
END_TEST

START_TEST(cookies)
{
    struct span rest = text(" a=1 ; b = \"2\";; c;");
    struct param param;
    ck_assert(params_next_cookie(&rest, &param));
    check_span(param.text, "a=1");
    ck_assert(params_next_cookie(&rest, &param));
    check_span(param.name, "b");
    check_span(param.value, "\"2\"");
    ck_assert(params_next_cookie(&rest, &param) && !param.has_value);
    check_span(param.name, "c");
    ck_assert(!params_next_cookie(&rest, &param));
}
END_TEST

static const struct name_row {
    const char *sent, *plain;
    bool same;
} names[] = {{"a", "a", true},
             {"%61", "a", true},
             {"a", "b", false},
             {"a", "aa", false},
             {"aa", "a", false},
             {"a+b", "a b", true},
             {"%2b", "+", true},
             {"+", "+", false},
             {"%6", "%6", true},
             {"%zz", "%zz", true},
             {"%", "%", true},
             {"", "", true},
             {"%C3%a4", "\xc3\xa4", true},
             {"%00", "", false}};

START_TEST(names_as_they_read)
{
    const struct name_row *row = &names[_i];
    struct buf out = BUF_INIT;
    ck_assert_msg(params_name_is(text(row->sent), row->plain) == row->same, "%s", row->sent);
    struct span decoded = params_decode(text(row->sent), &out);
    ck_assert((decoded.length == strlen(row->plain) &&
               memcmp(decoded.bytes, row->plain, decoded.length) == 0) == row->same);
    buf_free(&out);
}
END_TEST

START_TEST(order)
{
    ck_assert_int_eq(params_compare(text("a"), text("%61")), 0);
    ck_assert_int_lt(params_compare(text("a"), text("b")), 0);
    ck_assert_int_lt(params_compare(text("a"), text("aa")), 0);
    ck_assert_int_gt(params_compare(text("%ff"), text("a")), 0);
    ck_assert_int_gt(params_compare(text("%00"), text("")), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("params");
    TCase *tests = tcase_create("params");
    tcase_add_test(tests, queries);
    tcase_add_test(tests, cookies);
    tcase_add_loop_test(tests, names_as_they_read, 0, (int)(sizeof(names) / sizeof(names[0])));
    tcase_add_test(tests, order);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
