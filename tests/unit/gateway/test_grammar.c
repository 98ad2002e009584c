// The shared byte classes and small parsers.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "grammar.h"

static struct span text(const char *string)
{
    return (struct span){string, strlen(string)};
}

START_TEST(classes_are_those_of_the_rfcs)
{
    static const char alphanumeric[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int byte = 0; byte < 256; ++byte) {
        char c = (char)byte;
        bool ascii = byte > 0x20 && byte < 0x7f;
        bool plain = ascii && strchr(alphanumeric, c) != NULL;
        bool tchar = plain || (ascii && strchr("!#$%&'*+-.^_`|~", c) != NULL);
        bool unreserved = plain || (ascii && strchr("-._~", c) != NULL);
        bool host = unreserved || (ascii && strchr("!$&'()*+,;=", c) != NULL);
        ck_assert_int_eq(grammar_is(c, GRAMMAR_TOKEN), tchar);
        ck_assert_int_eq(grammar_is(c, GRAMMAR_UNRESERVED), unreserved);
        ck_assert_int_eq(grammar_is(c, GRAMMAR_HOST), host);
        ck_assert_int_eq(grammar_is(c, GRAMMAR_TARGET), ascii && c != '#');
        ck_assert_int_eq(grammar_is(c, GRAMMAR_PATH), ascii && strchr("#%/?\\", c) == NULL);
        ck_assert_int_eq(grammar_is(c, GRAMMAR_DIGIT), c >= '0' && c <= '9');
        ck_assert_int_eq(grammar_is(c, GRAMMAR_VALUE),
                         byte == '\t' || byte == ' ' || ascii || byte >= 0x80);
    }
}
END_TEST

START_TEST(value_ends_at_the_first_control_wherever_it_stands)
{
    char bytes[40];
    for (size_t position = 0; position < sizeof(bytes); ++position) {
        for (int byte = 0; byte < 256; ++byte) {
            bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
            memset(bytes, position % 2 ? 'x' : '\xff', sizeof(bytes));
            bytes[position / 2] = '\t';
            bytes[position] = (char)byte;
            const char *end = grammar_value_end(bytes, bytes + sizeof(bytes));
            ck_assert_ptr_eq(end, control ? bytes + position : bytes + sizeof(bytes));
        }
    }
}
END_TEST

START_TEST(decimals)
{
    uint64_t value = 0;
    ck_assert(grammar_decimal(SPAN("0"), &value) && value == 0);
    ck_assert(grammar_decimal(SPAN("0012"), &value) && value == 12);
    ck_assert(grammar_decimal(SPAN("18446744073709551614"), &value));
    ck_assert(value == UINT64_MAX - 1);
    static const char *const bad[] = {"",
                                      "+3",
                                      "-1",
                                      "0x3",
                                      "3 ",
                                      "3,3",
                                      "1.0",
                                      "18446744073709551615",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i)
        ck_assert_msg(!grammar_decimal(text(bad[i]), &value), "%s", bad[i]);
}
END_TEST

START_TEST(authorities)
{
    static const char *const good[] = {"a",
                                       "example.com",
                                       "example.com:80",
                                       "example.com:",
                                       "127.0.0.1:65535",
                                       "[::1]",
                                       "[::1]:8080",
                                       "a_b",
                                       "ex%41mple",
                                       "xn--bcher-kva.example",
                                       "[fe80::1:2]"};
    static const char *const bad[] = {
        "",       ":",    ":80",      "a:b",    "a:65536", "a:80:80", "a/b", "a?b",
        "user@a", "a b",  "[::1",     "[::1]x", "[]",      "[::g]",   "[1]", "a%4",
        "a%",     "a%zz", "\xc3\xa4", "a\\b",   "<a>",     "[::1%1]", "a:-1"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); ++i)
        ck_assert_msg(grammar_is_authority(text(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i)
        ck_assert_msg(!grammar_is_authority(text(bad[i])), "%s", bad[i]);
    ck_assert(!grammar_is_authority((struct span){"[::1\0]", 6}));
}
END_TEST

START_TEST(lists)
{
    struct span rest = SPAN(" , a,b\t ,, c d ,");
    struct span element;
    ck_assert(grammar_next_element(&rest, &element) && grammar_equal(element, SPAN("a")));
    ck_assert(grammar_next_element(&rest, &element) && grammar_equal(element, SPAN("b")));
    ck_assert(grammar_next_element(&rest, &element) && grammar_equal(element, SPAN("c d")));
    ck_assert(!grammar_next_element(&rest, &element));
}
END_TEST

START_TEST(equality_folds_letters_only)
{
    ck_assert(grammar_equal(SPAN("Content-LENGTH"), SPAN("content-length")));
    ck_assert(!grammar_equal(SPAN("content\rlength"), SPAN("content-length")));
    ck_assert(!grammar_equal(SPAN("content"), SPAN("content-length")));
    ck_assert(!grammar_equal(SPAN("`"), SPAN("@")) && !grammar_equal(SPAN("@"), SPAN("`")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("grammar");
    TCase *tests = tcase_create("grammar");
    tcase_add_test(tests, classes_are_those_of_the_rfcs);
    tcase_add_test(tests, value_ends_at_the_first_control_wherever_it_stands);
    tcase_add_test(tests, decimals);
    tcase_add_test(tests, authorities);
    tcase_add_test(tests, lists);
    tcase_add_test(tests, equality_folds_letters_only);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
