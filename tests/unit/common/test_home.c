// Where the home is found, what is made in it.
#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/home.h"

static char folder[] = "/tmp/gwctl-test-XXXXXX";

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    unsetenv("GWCTL_HOME");
    setenv("HOME", folder, 1);
}

static bool exists(const char *name)
{
    struct stat stat_of;
    return stat(name, &stat_of) == 0;
}

static void remove_in(const char *root)
{
    static const char *const parts[] = {"logs", "run", ""};
    for (size_t i = 0; i < 3; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", root, parts[i]);
        rmdir(path);
    }
}

static void tear_down(void)
{
    char path[100];
    snprintf(path, sizeof path, "%s/.gwctl", folder);
    remove_in(path);
    snprintf(path, sizeof path, "%s/own", folder);
    remove_in(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void expect_home(const char *name)
{
    struct err err;
    struct stat stat_of;
    char expected[200];
    ck_assert_msg(home_open(&err) == 0, "%s", err.text);
    snprintf(expected, sizeof expected, "%s/%s", folder, name);
    ck_assert_str_eq(home_path(HOME_ROOT), expected);
    strcat(expected, "/run/notify.sock");
    ck_assert_str_eq(home_path(HOME_NOTIFY), expected);
    static const enum home_file made[] = {HOME_ROOT, HOME_LOGS, HOME_RUN};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(stat(home_path(made[i]), &stat_of), 0);
        ck_assert_uint_eq(stat_of.st_mode, S_IFDIR | 0700);
    }
}

START_TEST(default_home)
{
    expect_home(".gwctl");
    expect_home(".gwctl"); // there already
}
END_TEST

START_TEST(own_home)
{
    char path[100];
    snprintf(path, sizeof path, "%s/own", folder);
    setenv("GWCTL_HOME", path, 1);
    expect_home("own");
}
END_TEST

START_TEST(relative_home_is_made_absolute)
{
    ck_assert_int_eq(mkdir("own", 0700), 0);
    setenv("GWCTL_HOME", "own", 1);
    expect_home("own");
}
END_TEST

START_TEST(relative_home_need_not_exist)
{
    setenv("GWCTL_HOME", "own", 1);
    expect_home("own");
}
END_TEST

START_TEST(finding_makes_nothing)
{
    struct err err;
    char expected[200];
    static const char *const homes[] = {"own", "missing/home"};
    for (size_t i = 0; i < 2; i++) {
        setenv("GWCTL_HOME", homes[i], 1);
        ck_assert_int_eq(home_find(&err), 0);
        snprintf(expected, sizeof expected, "%s/%s", folder, homes[i]);
        ck_assert_str_eq(home_path(HOME_ROOT), expected);
    }
    ck_assert(!exists("own") && !exists("missing"));
}
END_TEST

START_TEST(unusable)
{
    struct err err;
    char path[200];
    setenv("GWCTL_HOME", "missing/home", 1);
    ck_assert_int_eq(home_open(&err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "No such file"));

    snprintf(path, sizeof path, "%s/missing/home", folder);
    setenv("GWCTL_HOME", path, 1);
    ck_assert_int_eq(home_open(&err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "No such file"));

    snprintf(path, sizeof path, "/%0150d", 0);
    setenv("GWCTL_HOME", path, 1);
    ck_assert_int_eq(home_open(&err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "too long"));
}
END_TEST

static void expect_mode(enum home_file file, mode_t mode)
{
    struct stat stat_of;
    ck_assert_int_eq(stat(home_path(file), &stat_of), 0);
    ck_assert_uint_eq(stat_of.st_mode & 0777, mode);
    ck_assert_uint_eq(stat_of.st_gid, getegid());
}

START_TEST(a_group_is_let_in)
{
    struct err err;
    gid_t group = 0;
    char number[20];
    snprintf(number, sizeof number, "%u", (unsigned)getegid());
    expect_home(".gwctl");
    setenv("GWCTL_GROUP", number, 1);
    ck_assert_msg(home_share(&group, &err) == 0, "%s", err.text); // no control.sock yet
    ck_assert_uint_eq(group, getegid());
    expect_mode(HOME_ROOT, 0750);
    close(creat(home_path(HOME_CONTROL), 0600));
    ck_assert_msg(home_share(&group, &err) == 0, "%s", err.text);
    expect_mode(HOME_CONTROL, 0660);
    expect_mode(HOME_LOGS, 0700);
    unlink(home_path(HOME_CONTROL));
}
END_TEST

START_TEST(without_a_group_nothing_changes)
{
    static const char *const bad[] = {"no-such-group", "-1", "4294967295", "12x"};
    struct err err;
    gid_t group = 0;
    expect_home(".gwctl");
    unsetenv("GWCTL_GROUP");
    ck_assert_int_eq(home_share(&group, &err), 0);
    ck_assert_uint_eq(group, HOME_NO_GROUP);
    setenv("GWCTL_GROUP", "", 1);
    ck_assert_int_eq(home_share(&group, &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        group = 0;
        setenv("GWCTL_GROUP", bad[i], 1);
        ck_assert_int_eq(home_share(&group, &err), -1);
        ck_assert_uint_eq(group, HOME_NO_GROUP);
        ck_assert_ptr_nonnull(strstr(err.text, "GWCTL_GROUP: there is no group"));
    }
    expect_mode(HOME_ROOT, 0700);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("home");
    TCase *tests = tcase_create("home");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, default_home);
    tcase_add_test(tests, own_home);
    tcase_add_test(tests, relative_home_is_made_absolute);
    tcase_add_test(tests, relative_home_need_not_exist);
    tcase_add_test(tests, finding_makes_nothing);
    tcase_add_test(tests, a_group_is_let_in);
    tcase_add_test(tests, without_a_group_nothing_changes);
    tcase_add_test(tests, unusable);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
