// What a terminal would obey, and what it may show.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/printable.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct row {
    const char *bytes;
    size_t length;
    const char *line, *text; // text NULL: the same
} rows[] = {
    {BYTES(""), "", NULL},
    {BYTES("plain \\x1B"), "plain \\x1B", NULL},
    {BYTES("a\tb\nc\rd"), "a\\x09b\\x0Ac\\x0Dd", "a\tb\nc\\x0Dd"},
    {BYTES("\x1b[31mred\x1b]0;t\x07"), "\\x1B[31mred\\x1B]0;t\\x07", NULL},
    {BYTES("\0\x7f"), "\\x00\\x7F", NULL},
    {BYTES("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", NULL},
    {BYTES("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"), "\\xC2\\x80\\xC2\\x9B\\xC2\\x9F\xc2\xa0", NULL},
    {BYTES("\x9b"
           "31m"),
     "\\x9B31m", NULL},
    {BYTES("\xff\xc0\x9b"), "\\xFF\\xC0\\x9B", NULL},          // an overlong ESC sequence
    {BYTES("\xe0\x80\x9b"), "\\xE0\\x80\\x9B", NULL},          // the same in three bytes
    {BYTES("\xed\xa0\x80"), "\\xED\\xA0\\x80", NULL},          // a surrogate
    {BYTES("a\xe2\x82"), "a\\xE2\\x82", NULL},                 // ends within a character
    {BYTES("\xe2\x82\x1b[m"), "\\xE2\\x82\\x1B[m", NULL},      // broken off by a sequence
    {BYTES("\xf8\x88\x80\x80"), "\\xF8\\x88\\x80\\x80", NULL}, // no such length
};

START_TEST(bytes)
{
    const struct row *row = &rows[_i];
    struct buf line = BUF_INIT, text = BUF_INIT;
    printable_append(&line, row->bytes, row->length, PRINTABLE_LINE);
    printable_append(&text, row->bytes, row->length, PRINTABLE_TEXT);
    ck_assert_str_eq(buf_text(&line), row->line);
    ck_assert_str_eq(buf_text(&text), row->text ? row->text : row->line);
    buf_free(&line);
    buf_free(&text);
}
END_TEST

START_TEST(what_is_text)
{
    ck_assert(printable_is_text("", 0));
    ck_assert(printable_is_text(BYTES("a\n\x1b")));
    ck_assert(!printable_is_text(BYTES("a\0b")));
    ck_assert(!printable_is_text(BYTES("\xff")));
}
END_TEST

static const struct size_row {
    unsigned long long bytes;
    const char *expected;
} sizes[] = {
    {0, "0 bytes"},         {1, "1 byte"},
    {1023, "1023 bytes"},   {1024, "1.0 KB"},
    {2355, "2.3 KB"},       {64ULL << 20, "64.0 MB"},
    {3ULL << 30, "3.0 GB"}, {5ULL << 50, "5120.0 TB"},
};

START_TEST(sizes_for_people)
{
    struct buf out = BUF_INIT;
    printable_size(&out, sizes[_i].bytes);
    ck_assert_str_eq(buf_text(&out), sizes[_i].expected);
    buf_free(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("printable");
    TCase *tests = tcase_create("printable");
    tcase_add_loop_test(tests, bytes, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(tests, what_is_text);
    tcase_add_loop_test(tests, sizes_for_people, 0, (int)(sizeof sizes / sizeof *sizes));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
