// Lists of URLs: what is one, what is skipped, and all mistakes at once.

#include <check.h>
#include <stdlib.h>

#include "warm_list.h"

#define BYTES(literal) literal, sizeof(literal) - 1

// `expected`: the URLs, a line each; `errors`: what is told.
static const struct row {
    const char *text;
    size_t length;
    const char *expected, *errors;
} rows[] = {
    {BYTES(""), "", ""},
    {BYTES("/a"), "http://base:1/a\n", ""},
    {BYTES("/a\n/b?x=1#y\n"), "http://base:1/a\nhttp://base:1/b?x=1#y\n", ""},
    {BYTES("\n  \n# /no\n  # /no\n\t/a \r\n"), "http://base:1/a\n", ""},
    {BYTES("http://host/a\nhttp://host"), "http://host/a\nhttp://host\n", ""},
    {BYTES("/gr\xc3\xbc"), "http://base:1/gr\xc3\xbc\n", ""},
    {BYTES("a\n/b\n\n/c d\n"), "http://base:1/b\n",
     "list:1: a: is no /path and no http:// URL\n"
     "list:4: /c d: has a blank or control character; in a URL it is written as %XX\n"},
    {BYTES("/\x7f"), "",
     "list:1: /\\x7F: has a blank or control character; in a URL it is written as %XX\n"},
    {BYTES("https://host/"), "", "list:1: https://host/: the gateway is asked over http://\n"},
    {BYTES("ftp://host/"), "", "list:1: ftp://host/: is no /path and no http:// URL\n"},
    {BYTES("/a\0b\n/\x1b[m"), "",
     "list:1: /a\\x00b: has a blank or control character; in a URL it is written as %XX\n"
     "list:2: /\\x1B[m: has a blank or control character; in a URL it is written as %XX\n"},
};

START_TEST(lists)
{
    const struct row *row = &rows[_i];
    struct buf text = BUF_INIT, errors = BUF_INIT, found = BUF_INIT;
    struct warm_list list;
    buf_append(&text, row->text, row->length);
    int result = warm_list_parse(&text, "list", "http://base:1", &list, &errors);
    for (size_t i = 0; i < list.count; i++)
        buf_printf(&found, "%s\n", list.urls[i]);
    ck_assert_str_eq(buf_text(&found), row->expected);
    ck_assert_str_eq(buf_text(&errors), row->errors);
    ck_assert_int_eq(result, *row->errors ? -1 : 0);
    warm_list_free(&list);
    buf_free(&text);
    buf_free(&errors);
    buf_free(&found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("warm_list");
    TCase *tests = tcase_create("warm_list");
    tcase_add_loop_test(tests, lists, 0, (int)(sizeof rows / sizeof *rows));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
