// Command lines: values, words, what is behind "--", what is refused.

#include <check.h>
#include <stdlib.h>

#include "common/buf.h"
#include "options.h"

static const struct option_row options_rows[] = {
    {"lines", 'l', "N", "a value"},
    {"follow", 'f', NULL, "a switch"},
    {"name", 0, "NAME", "without a letter"},
    {"wait-ready", 0, NULL, "the same"},
    {0},
};

enum { WORDS = 6 };

// `expected`: name=value of each option that is there, [word], "--" when it was there, [rest], "?"
// for help. What is refused: "! " and the sentence.
static const struct row {
    const char *words[WORDS];
    const char *expected;
} rows[] = {
    {{0}, ""},
    {{"a", "b"}, "[a][b]"},
    {{""}, "[]"},
    {{"--lines", "5"}, "lines=5 "},
    {{"--lines=5"}, "lines=5 "},
    {{"-l", "5"}, "lines=5 "},
    {{"--lines="}, "lines= "},
    {{"--lines=a=b"}, "lines=a=b "},
    {{"--lines", "-5"}, "lines=-5 "},
    {{"--lines", "--help"}, "lines=--help "},
    {{"--lines", "1", "-l", "2"}, "lines=2 "},
    {{"-f"}, "follow= "},
    {{"--wait-ready", "--name", "x"}, "name=x wait-ready= "},
    {{"a", "-f", "b", "-l", "1", "c"}, "lines=1 follow= [a][b][c]"},
    {{"-", "-1", "-0x"}, "[-][-1][-0x]"},
    {{"--"}, "--"},
    {{"a", "--", "b", "--lines", "-h", "--"}, "[a]--[b][--lines][-h][--]"},
    {{"-h"}, "?"},
    {{"a", "--help", "b"}, "[a][b]?"},
    {{"--lines"}, "! --lines needs a value: N"},
    {{"-l"}, "! --lines needs a value: N"},
    {{"--follow=yes"}, "! --follow takes no value"},
    {{"-x"}, "! unknown option -x"},
    {{"-l5"}, "! unknown option -l5"},
    {{"-w"}, "! unknown option -w"},
    {{"--l", "5"}, "! unknown option --l"},
    {{"--=5"}, "! unknown option --=5"},
    {{"---"}, "! unknown option ---"},
    {{"--something"}, "! unknown option --something"},
    {{"--lnies", "5"}, "! unknown option --lnies; did you mean --lines?"},
    {{"--waitready"}, "! unknown option --waitready; did you mean --wait-ready?"},
    {{"--nmae=a-long-value"}, "! unknown option --nmae=a-long-value; did you mean --name?"},
    {{"--help=x"}, "! unknown option --help=x"},
};

static void describe(const struct options *options, struct buf *out)
{
    for (size_t i = 0; options_rows[i].name; i++) {
        const char *value = options_get(options, options_rows, options_rows[i].name);
        if (value)
            buf_printf(out, "%s=%s ", options_rows[i].name, value);
    }
    for (size_t i = 0; i < options->word_count; i++)
        buf_printf(out, "[%s]", options->words[i]);
    if (options->rest)
        buf_append_text(out, "--");
    for (size_t i = 0; i < options->rest_count; i++)
        buf_printf(out, "[%s]", options->rest[i]);
    if (options->help)
        buf_append_text(out, "?");
}

START_TEST(command_lines)
{
    char *words[WORDS];
    int count = 0;
    struct err err = {""};
    struct options options;
    struct buf out = BUF_INIT;

    while (count < WORDS && rows[_i].words[count]) {
        words[count] = (char *)rows[_i].words[count];
        count++;
    }
    if (options_parse(options_rows, count, words, &options, &err) == -1)
        buf_printf(&out, "! %s", err.text);
    else
        describe(&options, &out);
    options_free(&options);
    ck_assert_str_eq(buf_text(&out), rows[_i].expected);
    buf_free(&out);
}
END_TEST

START_TEST(a_name_without_a_row_has_no_value)
{
    struct err err;
    struct options options;
    char word[] = "--follow", *words[] = {word};
    ck_assert_int_eq(options_parse(options_rows, 1, words, &options, &err), 0);
    ck_assert_ptr_null(options_get(&options, options_rows, "nothing"));
    ck_assert_ptr_null(options_get(&options, options_rows, "foll"));
    options_free(&options);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tests = tcase_create("options");
    tcase_add_loop_test(tests, command_lines, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, a_name_without_a_row_has_no_value);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
