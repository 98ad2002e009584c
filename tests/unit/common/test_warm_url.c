// Entries of "warm".
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/warm_url.h"

static const struct url_row {
    const char *text, *host, *target; // target NULL: refused
} rows[] = {
    {"/", "", "/"},
    {"/a/b?c=/d", "", "/a/b?c=/d"},
    {"//a", "", "//a"},
    {"http://a/", "a", "/"},
    {"http://shop.example.com:8080/a?b", "shop.example.com:8080", "/a?b"},
    {"http://[::1]:80/x", "[::1]:80", "/x"},
    {"", NULL, NULL},
    {"a", NULL, NULL},
    {"http://", NULL, NULL},
    {"http://a", NULL, NULL},
    {"http:///a", NULL, NULL},
    {"http://a?b", NULL, NULL},
    {"http://user@a/", NULL, NULL},
    {"http://a b/", NULL, NULL},
    {"https://a/", NULL, NULL},
    {"HTTP://a/", NULL, NULL},
    {"/a b", NULL, NULL},
    {"/a#b", NULL, NULL},
    {"/a\r\nX: y", NULL, NULL},
    {"/\x7f", NULL, NULL},
    {"/\xc3\xa4", NULL, NULL},
};

START_TEST(urls)
{
    const struct url_row *row = &rows[_i];
    struct warm_url url;
    struct err err;
    int result = warm_url_parse(row->text, &url, &err);
    ck_assert_msg((result == 0) == (row->target != NULL), "%s", row->text);
    if (result != 0)
        return;
    ck_assert_uint_eq(url.host_length, strlen(row->host));
    ck_assert_int_eq(memcmp(url.host, row->host, url.host_length), 0);
    ck_assert_str_eq(url.target, row->target);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("warm_url");
    TCase *tests = tcase_create("warm_url");
    tcase_add_loop_test(tests, urls, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
