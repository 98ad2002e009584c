// Log files and their replacement: by size and by day, over failures and what a killed one left.

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/buf.h"
#include "log_file.h"
#include "log_tidy.h"
#include "loop_test.h"

static char folder[] = "/tmp/gwctl-test-XXXXXX";
static char path[64];
static struct log_rotate_config rotation;

static void set_up(void)
{
    strcpy(folder, "/tmp/gwctl-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a-out.log", folder);
    rotation = (struct log_rotate_config){.size_bytes = 20, .keep = 100};
    loop_test_open();
}

static void tear_down(void)
{
    struct dirent **names;
    char name[512];
    loop_test_close();
    int count = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, names[i]->d_name);
        unlink(name);
        free(names[i]);
    }
    free(names);
    ck_assert_int_eq(rmdir(folder), 0);
}

static struct log_file *open_file(void)
{
    struct err err = {{0}};
    struct log_file *file = log_file_open(&test_loop, path, &rotation, &err);
    ck_assert_msg(file != NULL, "%s", err.text);
    return file;
}

static void append(struct log_file *file, const char *text)
{
    struct iovec part = {(void *)text, strlen(text)};
    ck_assert_int_eq(log_file_append(file, &part, 1), (ssize_t)strlen(text));
}

static void put_file(const char *name, const char *text)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", folder, name);
    FILE *stream = fopen(whole, "w");
    ck_assert_ptr_nonnull(stream);
    fputs(text, stream);
    fclose(stream);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

// Every file from the oldest on, unpacked; '|' before each but the first. The newest, which has no
// suffix, sorts first and is told last. (free)
static char *all_text(size_t *packed)
{
    struct dirent **names;
    struct buf text = BUF_INIT;
    char name[512], block[4096];
    int count = scandir(folder, &names, is_visible, alphasort);
    *packed = 0;
    for (int i = 1; i <= count; i++) {
        const char *file = names[i % count]->d_name;
        *packed += strcmp(file + strlen(file) - 3, ".gz") == 0;
        snprintf(name, sizeof name, "%s/%s", folder, file);
        gzFile stream = gzopen(name, "rb");
        int length = gzread(stream, block, sizeof block);
        gzclose(stream);
        if (i > 1)
            buf_append_text(&text, "|");
        buf_append(&text, block, (size_t)length);
    }
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    buf_text(&text);
    return text.data;
}

static void expect(const char *expected, size_t expected_packed)
{
    size_t packed;
    uv_run(&test_loop, UV_RUN_DEFAULT); // to the end of the tidying
    char *text = all_text(&packed);
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(packed, expected_packed);
    free(text);
}

START_TEST(a_full_file_is_replaced_between_two_lines)
{
    struct log_file *file = open_file();
    append(file, "line one\n");
    append(file, "line two\nhalf a ");
    append(file, "line\n"); // too many, but not torn
    append(file, "line four\n");
    append(file, "line five\n");
    append(file, "line six\n");
    log_file_close(file);
    expect("line one\n|line two\nhalf a line\n|line four\nline five\n|line six\n", 0);
}
END_TEST

START_TEST(all_writers_to_a_path_have_one_file)
{
    struct log_file *one = open_file(), *two = open_file();
    ck_assert_ptr_eq(one, two);
    append(one, "0123456789abcdef\n");
    append(two, "second\n");
    log_file_close(one);
    append(two, "third\n");
    log_file_close(two);
    log_file_close(NULL);
    expect("0123456789abcdef\n|second\nthird\n", 0);
}
END_TEST

START_TEST(old_files_are_compressed_and_the_surplus_goes)
{
    rotation.compress = true;
    rotation.keep = 2;
    struct log_file *file = open_file();
    for (int i = 0; i < 8; i++) {
        char line[32];
        snprintf(line, sizeof line, "line number %d\n", i);
        append(file, line);
        uv_run(&test_loop, UV_RUN_NOWAIT);
    }
    log_file_close(file);
    expect("line number 5\n|line number 6\n|line number 7\n", 2);
}
END_TEST

START_TEST(what_is_there_already_counts)
{
    put_file("a-out.log", "0123456789abcdef\n");
    struct log_file *file = open_file();
    append(file, "next\n");
    log_file_close(file);
    expect("0123456789abcdef\n|next\n", 0);
}
END_TEST

START_TEST(a_new_day_begins_a_new_file)
{
    const struct timespec yesterday[2] = {{.tv_sec = 1767265200}, {.tv_sec = 1767265200}};
    rotation.size_bytes = 0;
    rotation.daily = true;
    put_file("a-out.log", "old\n");
    ck_assert_int_eq(utimensat(AT_FDCWD, path, yesterday, 0), 0);
    struct log_file *file = open_file();
    append(file, "new\n");
    append(file, "newer\n");
    log_file_close(file);
    expect("old\n|new\nnewer\n", 0);
}
END_TEST

START_TEST(an_emptied_file_is_not_full)
{
    struct log_file *file = open_file();
    append(file, "0123456789abcdef\n");
    ck_assert_int_eq(truncate(path, 0), 0);
    append(file, "after\n");
    log_file_close(file);
    expect("after\n", 0);
}
END_TEST

START_TEST(a_file_that_somebody_renamed_is_left_to_him)
{
    char taken[80];
    struct log_file *file = open_file();
    append(file, "0123456789abcdef\n");
    snprintf(taken, sizeof taken, "%s.taken", path);
    ck_assert_int_eq(rename(path, taken), 0);
    append(file, "next\n");
    log_file_close(file);
    expect("0123456789abcdef\n|next\n", 0);
}
END_TEST

START_TEST(emptied_and_reopened)
{
    struct err err = {{0}};
    char taken[80];
    struct log_file *file = open_file();
    append(file, "gone\n");
    ck_assert_int_eq(log_file_empty(path, &err), 0);
    append(file, "kept\n");
    snprintf(taken, sizeof taken, "%s.taken", path);
    ck_assert_int_eq(rename(path, taken), 0);
    append(file, "taken\n");
    ck_assert_int_eq(log_file_empty(path, &err), 0); // there is none
    ck_assert_int_eq(log_file_reopen_all(&err), 0);
    append(file, "anew\n");
    ck_assert_int_eq(log_file_empty("/dev/null", &err), 0);
    ck_assert_int_eq(log_file_empty("/dev/null/x", &err), -1);
    log_file_close(file);
    expect("kept\ntaken\n|anew\n", 0);
}
END_TEST

START_TEST(a_link_is_never_replaced)
{
    put_file("real", "0123456789abcdef\n");
    ck_assert_int_eq(symlink("real", path), 0);
    struct log_file *file = open_file();
    append(file, "next\n");
    log_file_close(file);
    ck_assert_int_eq(unlink(path), 0);
    expect("0123456789abcdef\nnext\n", 0);
}
END_TEST

START_TEST(what_a_killed_tidier_left_is_finished)
{
    rotation.compress = true;
    put_file("a-out.log.2026-01-01T11-00-00.001Z", "one\n");
    put_file("a-out.log.2026-01-01T11-00-00.001Z.gz.new", "half a copy of");
    put_file("a-out.log.2026-01-01T11-00-00.002Z.gz.new", "two\n"); // whole: the plain one is gone
    put_file("a-out.log", "three\n");
    log_tidy_start(&test_loop, path, &rotation);
    log_tidy_start(&test_loop, path, &rotation);
    expect("one\n|two\n|three\n", 2);
}
END_TEST

START_TEST(no_name_is_used_twice)
{
    struct log_file *file = open_file();
    char line[32], expected[2048] = "";
    for (int i = 0; i < 50; i++) { // in a few milliseconds
        snprintf(line, sizeof line, "line no %02d ........\n", i);
        append(file, line);
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s%s",
                 i > 0 ? "|" : "", line);
    }
    log_file_close(file);
    expect(expected, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_file");
    TCase *tests = tcase_create("log_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_full_file_is_replaced_between_two_lines);
    tcase_add_test(tests, all_writers_to_a_path_have_one_file);
    tcase_add_test(tests, old_files_are_compressed_and_the_surplus_goes);
    tcase_add_test(tests, what_is_there_already_counts);
    tcase_add_test(tests, a_new_day_begins_a_new_file);
    tcase_add_test(tests, an_emptied_file_is_not_full);
    tcase_add_test(tests, a_file_that_somebody_renamed_is_left_to_him);
    tcase_add_test(tests, emptied_and_reopened);
    tcase_add_test(tests, a_link_is_never_replaced);
    tcase_add_test(tests, what_a_killed_tidier_left_is_finished);
    tcase_add_test(tests, no_name_is_used_twice);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
