// Layout: every width, columns that leave, colours, notes.

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

static const struct table_column columns[] = {
    {"id", 0, true}, {"name", 0, false}, {"pid", 1, true}, {"mode", 3, false}, {"cpu", 2, true},
};
enum { COLUMNS = sizeof columns / sizeof *columns, FULL_WIDTH = 31, LEAST_WIDTH = 11 };

static void add_row(struct table *table, const char *const cells[COLUMNS], int status_colour)
{
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell(table, cells[i], i == 1 ? status_colour : 0);
}

static struct table *make_table(void)
{
    struct table *table = table_new(columns, COLUMNS);
    add_row(table, (const char *const[COLUMNS]){"0", "api", "123", "fork", "1.5%"}, 32);
    add_row(table, (const char *const[COLUMNS]){"10", "gateway", "4", "cluster", ""}, 0);
    return table;
}

static void check_render(const struct table *table, size_t width, bool colours,
                         const char *expected)
{
    struct buf out = BUF_INIT;
    table_render(table, width, colours, &out);
    ck_assert_str_eq(buf_text(&out), expected);
    buf_free(&out);
}

static const struct row {
    size_t widest, narrowest; // the table is the same from here to there
    const char *expected;
} rows[] = {
    {SIZE_MAX, SIZE_MAX,
     "id  name     pid  mode      cpu\n"
     " 0  api      123  fork     1.5%\n"
     "10  gateway    4  cluster      \n"},
    {FULL_WIDTH + 9, FULL_WIDTH,
     "id  name     pid  mode      cpu\n"
     " 0  api      123  fork     1.5%\n"
     "10  gateway    4  cluster      \n"},
    {FULL_WIDTH - 1, 22,
     "id  name     pid   cpu\n"
     " 0  api      123  1.5%\n"
     "10  gateway    4      \n"},
    {21, 16,
     "id  name     pid\n"
     " 0  api      123\n"
     "10  gateway    4\n"},
    {15, LEAST_WIDTH, // a column at the end has no blanks behind it
     "id  name\n"
     " 0  api\n"
     "10  gateway\n"},
    {10, 10, // the rest never leaves, it is cut
     "id  name\n"
     " 0  api\n"
     "10  gatew\xe2\x80\xa6\n"},
    {7, 7,
     "id  na\xe2\x80\xa6\n"
     " 0  api\n"
     "10  ga\xe2\x80\xa6\n"},
    {2, 0, // until there is nothing left to cut
     "\xe2\x80\xa6  \xe2\x80\xa6\n"
     "0  \xe2\x80\xa6\n"
     "\xe2\x80\xa6  \xe2\x80\xa6\n"},
};

START_TEST(every_width)
{
    struct table *table = make_table();
    check_render(table, rows[_i].widest, false, rows[_i].expected);
    for (size_t width = rows[_i].narrowest; width < rows[_i].widest; width++)
        check_render(table, width, false, rows[_i].expected);
    table_free(table);
}
END_TEST

START_TEST(no_line_is_longer_than_the_width)
{
    struct table *table = make_table();
    for (size_t width = LEAST_WIDTH; width <= FULL_WIDTH; width++) {
        struct buf out = BUF_INIT;
        table_render(table, width, false, &out);
        for (char *line = strtok(buf_text(&out), "\n"); line; line = strtok(NULL, "\n"))
            ck_assert_uint_le(strlen(line), width);
        buf_free(&out);
    }
    table_free(table);
}
END_TEST

START_TEST(colours_are_no_part_of_the_layout)
{
    struct table *table = make_table();
    check_render(table, 16, true,
                 "\033[1mid\033[0m  \033[1mname\033[0m     \033[1mpid\033[0m\n"
                 " 0  \033[32mapi\033[0m      123\n"
                 "10  gateway    4\n");
    table_free(table);
}
END_TEST

START_TEST(notes_stand_below_their_row)
{
    struct table *table = table_new(columns, 2);
    table_cell(table, "1", 0);
    table_cell(table, "a", 0);
    table_note(table, "first");
    table_note(table, "the note is wider than the table");
    table_cell(table, "2", 0);
    table_cell(table, "b", 0);
    check_render(table, 20, false,
                 "id  name\n"
                 " 1  a\n"
                 "    the note is\n"
                 "    wider than the\n"
                 "    table\n"
                 " 2  b\n");
    check_render(table, SIZE_MAX, false,
                 "id  name\n"
                 " 1  a\n"
                 "    the note is wider than the table\n"
                 " 2  b\n");
    table_free(table);
}
END_TEST

START_TEST(a_word_wider_than_the_table_is_parted_between_characters)
{
    struct table *table = table_new(columns, 1);
    table_cell(table, "1", 0);
    table_note(table,
               "a \xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc b");
    check_render(table, 4, false,
                 "id\n"
                 " 1\n"
                 "    a\n"
                 "    \xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\n"
                 "    \xc3\xbc b\n");
    table_free(table);
}
END_TEST

START_TEST(a_note_stays_when_its_column_leaves)
{
    struct table *table = table_new(columns, 3);
    table_cell(table, "1", 0);
    table_cell(table, "a", 0);
    table_cell(table, "77", 0);
    table_note(table, "why");
    check_render(table, 8, false,
                 "id  name\n"
                 " 1  a\n"
                 "    why\n");
    table_free(table);
}
END_TEST

START_TEST(without_rows_only_titles)
{
    struct table *table = table_new(columns, COLUMNS);
    check_render(table, SIZE_MAX, false, "id  name  pid  mode  cpu\n");
    table_free(table);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("table");
    tcase_add_loop_test(tests, every_width, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, no_line_is_longer_than_the_width);
    tcase_add_test(tests, colours_are_no_part_of_the_layout);
    tcase_add_test(tests, notes_stand_below_their_row);
    tcase_add_test(tests, a_word_wider_than_the_table_is_parted_between_characters);
    tcase_add_test(tests, a_note_stays_when_its_column_leaves);
    tcase_add_test(tests, without_rows_only_titles);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
