// Names of log files, and their folders and modes.

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_path.h"

static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/gwctl-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char path[128];
    static const char *const names[] = {"a/b/app.log", "a/b/sub/app.log", "a/b/sub", "a/b", "a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(default_names)
{
    static const struct {
        const char *name;
        bool error;
        int id;
        const char *path;
    } cases[] = {
        {"api", false, LOG_PATH_NO_ID, "/h/logs/api-out.log"},
        {"api", true, LOG_PATH_NO_ID, "/h/logs/api-error.log"},
        {"api", false, 0, "/h/logs/api-out-0.log"},
        {"api", true, 12, "/h/logs/api-error-12.log"},
        {"../x", true, 1, "/h/logs/.._x-error-1.log"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        char *path = log_path_default("/h/logs", cases[i].name, cases[i].error, cases[i].id);
        ck_assert_str_eq(path, cases[i].path);
        free(path);
    }
}
END_TEST

static mode_t mode_of(const char *path)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_mode & 07777;
}

START_TEST(makes_folders_and_appends)
{
    char path[128], text[8] = "";
    struct err err;
    umask(0);
    make_folder();
    snprintf(path, sizeof path, "%s/a/b/app.log", folder);
    for (int i = 0; i < 2; ++i) {
        int fd = log_path_open(path, &err);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(write(fd, "x\n", 2), 2);
        close(fd);
    }
    ck_assert_uint_eq(mode_of(path), 0600);
    int fd = open(path, O_RDONLY);
    ck_assert_int_eq(read(fd, text, sizeof text), 4);
    close(fd);
    snprintf(path, sizeof path, "%s/a/b", folder);
    ck_assert_uint_eq(mode_of(path), 0700);
    remove_folder();
}
END_TEST

START_TEST(errors_name_the_file)
{
    struct err err;
    ck_assert_int_eq(log_path_open("/dev/null/app.log", &err), -1);
    ck_assert_str_eq(err.text, "log /dev/null/app.log: Not a directory");
    ck_assert_int_eq(log_path_open("/tmp", &err), -1);
    ck_assert_str_eq(err.text, "log /tmp: Is a directory");
    ck_assert_int_eq(log_path_open("", &err), -1);
}
END_TEST

START_TEST(a_pipe_without_reader_does_not_block)
{
    char path[128];
    struct err err;
    make_folder();
    snprintf(path, sizeof path, "%s/a", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(log_path_open(path, &err), -1);
    remove_folder();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_path");
    TCase *tests = tcase_create("log_path");
    tcase_add_test(tests, default_names);
    tcase_add_test(tests, makes_folders_and_appends);
    tcase_add_test(tests, errors_name_the_file);
    tcase_add_test(tests, a_pipe_without_reader_does_not_block);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
