// Sentences, prefixes, cutting.
#include <check.h>
#include <errno.h>
#include <string.h>

#include "common/err.h"

START_TEST(writes_and_prefixes)
{
    struct err err;
    ck_assert_int_eq(err_set(&err, "%s is no %s", "x", "y"), -1);
    ck_assert_str_eq(err.text, "x is no y");
    ck_assert_int_eq(err_prefix(&err, "route %d", 7), -1);
    ck_assert_int_eq(err_prefix(&err, "gateway"), -1);
    ck_assert_str_eq(err.text, "gateway: route 7: x is no y");
}
END_TEST

START_TEST(appends_and_keeps_errno)
{
    struct err err;
    errno = ENOENT;
    ck_assert_int_eq(err_set_errno(&err, "/no/file"), -1);
    ck_assert_str_eq(err.text, "/no/file: No such file or directory");
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(nobody_wants_the_sentence)
{
    ck_assert_int_eq(err_set(NULL, "x"), -1);
    ck_assert_int_eq(err_prefix(NULL, "x"), -1);
    errno = EAGAIN;
    ck_assert_int_eq(err_set_errno(NULL, "x"), -1);
    ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(long_texts_are_cut)
{
    char text[2 * ERR_SIZE];
    struct err err;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)err_set(&err, "%s", text);
    ck_assert_uint_eq(strlen(err.text), ERR_SIZE - 1);
    (void)err_prefix(&err, "subject");
    ck_assert_uint_eq(strlen(err.text), ERR_SIZE - 1);
    ck_assert(strncmp(err.text, "subject: aaa", 12) == 0);
    errno = ENOENT;
    (void)err_set_errno(&err, "%s", text);
    ck_assert_uint_eq(strlen(err.text), ERR_SIZE - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("err");
    TCase *tests = tcase_create("err");
    tcase_add_test(tests, writes_and_prefixes);
    tcase_add_test(tests, appends_and_keeps_errno);
    tcase_add_test(tests, nobody_wants_the_sentence);
    tcase_add_test(tests, long_texts_are_cut);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
