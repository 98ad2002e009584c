// Strings of the configuration that name parts of requests.
#include <check.h>
#include <stdlib.h>

#include "common/http_text.h"

enum form { NO_PATTERN, EXACT, PREFIX };

static const struct pattern_row {
    const char *path;
    enum form form;
} patterns[] = {
    {"/", EXACT},         {"/*", PREFIX},       {"/a", EXACT},         {"/a/*", PREFIX},
    {"/a/b%2Fc", EXACT},  {"/a/", EXACT},       {"/a b", NO_PATTERN},  {"", NO_PATTERN},
    {"a", NO_PATTERN},    {"/a*", NO_PATTERN},  {"/*/b", NO_PATTERN},  {"//", NO_PATTERN},
    {"/..", NO_PATTERN},  {"/a/.", NO_PATTERN}, {"/%2f", NO_PATTERN},  {"/%41", NO_PATTERN},
    {"/%00", NO_PATTERN}, {"/a?b", NO_PATTERN}, {"/\xc3", NO_PATTERN}, {"/a/*/", NO_PATTERN},
    {"/...", EXACT},      {"/%C3%A4", EXACT},   {"/a//b", NO_PATTERN},
};

START_TEST(paths)
{
    const struct pattern_row *row = &patterns[_i];
    bool is_prefix;
    bool is_pattern = http_text_is_pattern(row->path, &is_prefix);
    ck_assert_msg(is_pattern == (row->form != NO_PATTERN), "%s", row->path);
    ck_assert_msg(!is_pattern || is_prefix == (row->form == PREFIX), "%s", row->path);
}
END_TEST

START_TEST(tokens)
{
    static const char *const good[] = {"GET", "x-a_b", "M-SEARCH", "!#$%&'*+-.^_`|~0aZ"};
    static const char *const bad[] = {"", " ", "a b", "a:", "a=b", "\xc3\xa4", "a\t", "(a)", "a\""};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_msg(http_text_is_token(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!http_text_is_token(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(cookies)
{
    ck_assert(http_text_is_cookie("theme") && http_text_is_cookie("a[b]"));
    ck_assert(!http_text_is_cookie("") && !http_text_is_cookie("a=") &&
              !http_text_is_cookie("a b"));
    ck_assert(!http_text_is_cookie("a;") && !http_text_is_cookie("a\n"));
}
END_TEST

START_TEST(values)
{
    ck_assert(http_text_is_value("public, max-age=3600"));
    ck_assert(http_text_is_value("a\t\"b\" \xc3\xa4"));
    ck_assert(http_text_is_value(""));
    ck_assert(!http_text_is_value("a\nb"));
    ck_assert(!http_text_is_value("a\r"));
    ck_assert(!http_text_is_value("\x7f"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_text");
    TCase *tests = tcase_create("http_text");
    tcase_add_loop_test(tests, paths, 0, (int)(sizeof(patterns) / sizeof(patterns[0])));
    tcase_add_test(tests, tokens);
    tcase_add_test(tests, cookies);
    tcase_add_test(tests, values);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
