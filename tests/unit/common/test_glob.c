// Key patterns. The rows were asked of redis-server 7.0 (KEYS) too.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/glob.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct row {
    const char *pattern;
    size_t pattern_length;
    const char *text;
    size_t text_length;
    bool matches;
} rows[] = {
    {BYTES(""), BYTES(""), true},
    {BYTES(""), BYTES("a"), false},
    {BYTES("a"), BYTES(""), false},
    {BYTES("abc"), BYTES("abc"), true},
    {BYTES("abc"), BYTES("abcd"), false},
    {BYTES("abcd"), BYTES("abc"), false},
    {BYTES("ABC"), BYTES("abc"), false},
    {BYTES("a\0b"), BYTES("a\0b"), true},
    {BYTES("a\0b"), BYTES("a\0c"), false},
    // stars
    {BYTES("*"), BYTES(""), true},
    {BYTES("*"), BYTES("a\nb"), true},
    {BYTES("a*"), BYTES("a"), true},
    {BYTES("*a"), BYTES("ba"), true},
    {BYTES("*a"), BYTES("ab"), false},
    {BYTES("a***b"), BYTES("ab"), true},
    {BYTES("a*b*c"), BYTES("abbbcbc"), true},
    {BYTES("a*b*c"), BYTES("abbbcb"), false},
    {BYTES("*ab*ab"), BYTES("aabab"), true},
    {BYTES("*ab*ab"), BYTES("aab"), false},
    {BYTES("user:*:name"), BYTES("user:17:name"), true},
    {BYTES("user:*:name"), BYTES("user:17:names"), false},
    {BYTES("a**"), BYTES("a"), true},
    // one byte
    {BYTES("?"), BYTES(""), false},
    {BYTES("?"), BYTES("\0"), true},
    {BYTES("?"), BYTES("\xc3\xa4"), false},
    {BYTES("h?llo"), BYTES("hello"), true},
    {BYTES("*?"), BYTES("a"), true},
    {BYTES("*?"), BYTES(""), false},
    {BYTES("?*?"), BYTES("a"), false},
    // sets
    {BYTES("h[ae]llo"), BYTES("hallo"), true},
    {BYTES("h[ae]llo"), BYTES("hillo"), false},
    {BYTES("h[^e]llo"), BYTES("hallo"), true},
    {BYTES("h[^e]llo"), BYTES("hello"), false},
    {BYTES("[e^]"), BYTES("^"), true},
    {BYTES("[!a]"), BYTES("b"), false},
    {BYTES("[!a]"), BYTES("!"), true},
    {BYTES("[a-c]"), BYTES("b"), true},
    {BYTES("[a-c]"), BYTES("d"), false},
    {BYTES("[c-a]"), BYTES("b"), true},
    {BYTES("[^c-a]"), BYTES("b"), false},
    {BYTES("[a-c-e]"), BYTES("d"), false},
    {BYTES("[a-c-e]"), BYTES("-"), true},
    {BYTES("[-c]"), BYTES("-"), true},
    {BYTES("[-c]"), BYTES("b"), false},
    {BYTES("[]"), BYTES("]"), false},
    {BYTES("[]"), BYTES(""), false},
    {BYTES("[^]"), BYTES("a"), true},
    {BYTES("[^]"), BYTES(""), false},
    {BYTES("[]a]"), BYTES("]"), false},
    {BYTES("a]"), BYTES("a]"), true},
    {BYTES("[*?]"), BYTES("*"), true},
    {BYTES("[*?]"), BYTES("a"), false},
    {BYTES("[[]"), BYTES("["), true},
    // backslashes in sets
    {BYTES("[\\]]"), BYTES("]"), true},
    {BYTES("[\\]]"), BYTES("\\"), false},
    {BYTES("[\\^]"), BYTES("^"), true},
    {BYTES("[\\a-c]"), BYTES("b"), false},
    {BYTES("[\\a-c]"), BYTES("-"), true},
    {BYTES("[\\\\]"), BYTES("\\"), true},
    {BYTES("[Z-\\]"), BYTES("["), true},
    // a range takes a ']' for its end
    {BYTES("[Z-]"), BYTES("\\"), true},
    {BYTES("[Z-]"), BYTES("-"), false},
    {BYTES("[Z-]]"), BYTES("["), true},
    // sets that are not closed
    {BYTES("["), BYTES("["), false},
    {BYTES("["), BYTES("a"), false},
    {BYTES("[^"), BYTES("a"), true},
    {BYTES("[ab"), BYTES("b"), true},
    {BYTES("[ab"), BYTES("bb"), false},
    {BYTES("[^ab"), BYTES("b"), false},
    {BYTES("[a-c"), BYTES("b"), true},
    {BYTES("[a-"), BYTES("-"), true},
    {BYTES("[a-"), BYTES("b"), false},
    {BYTES("[a\\"), BYTES("\\"), true},
    {BYTES("*[ab"), BYTES("cb"), true},
    // bytes above 0x7f count as negative
    {BYTES("[\x80-\xff]"), BYTES("\xa0"), true},
    {BYTES("[a-\xff]"), BYTES("b"), false},
    {BYTES("[a-\xff]"), BYTES("\x01"), true},
    {BYTES("[\xc3]"), BYTES("\xc3"), true},
    // backslashes
    {BYTES("\\*"), BYTES("*"), true},
    {BYTES("\\*"), BYTES("a"), false},
    {BYTES("\\a"), BYTES("a"), true},
    {BYTES("\\\\"), BYTES("\\"), true},
    {BYTES("\\"), BYTES("\\"), true},
    {BYTES("a\\"), BYTES("a\\"), true},
    {BYTES("*\\"), BYTES("ab\\"), true},
    {BYTES("\\[a]"), BYTES("[a]"), true},
    // Redis denies this one, though it lists the empty key for a single star
    {BYTES("**"), BYTES(""), true},
};

START_TEST(matches)
{
    const struct row *row = &rows[_i];
    bool matched = glob_match(row->pattern, row->pattern_length, row->text, row->text_length);
    ck_assert_msg(matched == row->matches, "row %d: %s against %s", _i, row->pattern, row->text);
}
END_TEST

static const struct {
    const char *pattern;
    size_t prefix;
} prefixes[] = {
    {"", 0},   {"*", 0},      {"abc", 3},   {"user:*", 5},
    {"a?", 1}, {"ab[c]d", 2}, {"a\\*b", 1}, {"a]b-^c", 6},
};

START_TEST(literal_prefixes)
{
    const char *pattern = prefixes[_i].pattern;
    ck_assert_uint_eq(glob_literal_prefix(pattern, strlen(pattern)), prefixes[_i].prefix);
}
END_TEST

// Would take longer than the test may, were it not for the single way back.
START_TEST(many_stars)
{
    enum { STARS = 100, LENGTH = 100000 };
    char pattern[2 * STARS + 1];
    char *text = malloc(LENGTH);
    for (size_t i = 0; i < STARS; ++i)
        memcpy(pattern + 2 * i, "a*", 2);
    pattern[2 * STARS] = 'b';
    memset(text, 'a', LENGTH);
    ck_assert(!glob_match(pattern, sizeof pattern, text, LENGTH));
    text[LENGTH - 1] = 'b';
    ck_assert(glob_match(pattern, sizeof pattern, text, LENGTH));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("glob");
    TCase *tests = tcase_create("glob");
    tcase_add_loop_test(tests, matches, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_loop_test(tests, literal_prefixes, 0, (int)(sizeof(prefixes) / sizeof(prefixes[0])));
    tcase_add_test(tests, many_stars);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
