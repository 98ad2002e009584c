// Foreign text: what stays, what becomes '?', where it is cut.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/foreign_text.h"

static const struct {
    const char *in;
    const char *out;
} cases[] = {
    {"", ""},
    {"plain text 1.0 ~", "plain text 1.0 ~"},
    {"tab\there", "tab here"},
    {"\x1b[31mred\x1b[0m", "?[31mred?[0m"},
    {"line\nline\r", "line?line?"},
    {"\x7f", "?"},
    {"trailing  \t ", "trailing"},
    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80"},
    {"\xc2\x9b[2J", "??[2J"}, // C1: a terminal takes it for ESC [
    {"\xc2\xa0", "\xc2\xa0"}, // the first one after C1
    {"\xff\xfe", "??"},
    {"\xc0\xaf \xe0\x80\xaf", "?? ???"}, // overlong
    {"\xed\xa0\x80", "???"},             // a surrogate
    {"\xf4\x90\x80\x80", "????"},        // above U+10FFFF
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    {"\xc3", "?"},
    {"\xe2\x82", "??"},
    {"\xe2(\xa1", "?(?"},
};

START_TEST(makes_text_safe)
{
    char out[64];
    size_t length = foreign_text_copy(out, sizeof out, cases[_i].in, strlen(cases[_i].in));
    ck_assert_str_eq(out, cases[_i].out);
    ck_assert_uint_eq(length, strlen(out));
}
END_TEST

START_TEST(cuts_between_characters)
{
    const char *text = "ab\xe2\x82\xac";
    char out[8];
    ck_assert_uint_eq(foreign_text_copy(out, 6, text, 5), 5);
    ck_assert_uint_eq(foreign_text_copy(out, 5, text, 5), 2);
    ck_assert_str_eq(out, "ab");
    ck_assert_uint_eq(foreign_text_copy(out, 1, text, 5), 0);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(a_nul_does_not_end_it)
{
    char out[8];
    foreign_text_copy(out, sizeof out, "a\0b", 3);
    ck_assert_str_eq(out, "a?b");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("foreign_text");
    TCase *tests = tcase_create("foreign_text");
    tcase_add_loop_test(tests, makes_text_safe, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, cuts_between_characters);
    tcase_add_test(tests, a_nul_does_not_end_it);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
