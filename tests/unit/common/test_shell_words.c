// One string as the words of a command.
#include <check.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/key_values.h"
#include "common/shell_words.h"

static const struct row {
    const char *text, *words; // joined by "|"; NULL: refused
} rows[] = {{"", ""},
            {" \t\n", ""},
            {"one", "one|"},
            {"  one two\tthree ", "one|two|three|"},
            {"'one two' three", "one two|three|"},
            {"\"one two\" three", "one two|three|"},
            {"a'b c'd\"e f\"g", "ab cde fg|"},
            {"'' \"\"", "||"},
            {"a\\ b \\'c \\\\", "a b|'c|\\|"},
            {"'a\\ b'", "a\\ b|"},
            {"\"a\\\"b\\\\c\\$d\\`e\\n\"", "a\"b\\c$d`e\\n|"},
            {"$HOME *.js a;b | c", "$HOME|*.js|a;b|||c|"}, // nothing is expanded or run
            {"'open", NULL},
            {"\"open", NULL},
            {"\"open\\\"", NULL},
            {"end\\", NULL}};

START_TEST(words)
{
    const struct row *row = &rows[_i];
    struct key_strings strings = {0};
    struct buf joined = BUF_INIT;
    struct err err;
    int result = shell_words_split(row->text, &strings, &err);
    ck_assert_msg(result == (row->words ? 0 : -1), "%s", row->text);
    for (size_t i = 0; i < strings.count; i++)
        buf_printf(&joined, "%s|", strings.items[i]);
    if (row->words)
        ck_assert_str_eq(buf_text(&joined), row->words);
    ck_assert(strings.count == 0 || strings.items[strings.count] == NULL);
    buf_free(&joined);
    key_strings_clear(&strings);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shell_words");
    TCase *tests = tcase_create("shell_words");
    tcase_add_loop_test(tests, words, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
