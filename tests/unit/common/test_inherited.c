// LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/inherited.h"

static struct inherited inherited;
static struct err err;

static int parse(const char *pid, const char *fds, const char *names)
{
    return inherited_parse(&inherited, pid, fds, names, 42, &err);
}

START_TEST(finds_by_name)
{
    ck_assert_int_eq(parse("42", "3", "listen.0:listen.1:state"), 0);
    ck_assert_uint_eq(inherited.count, 3);
    ck_assert_int_eq(inherited_find(&inherited, "listen.0"), 3);
    ck_assert_int_eq(inherited_find(&inherited, "state"), 5);
    ck_assert_int_eq(inherited_find(&inherited, "listen"), -1);
}
END_TEST

START_TEST(nothing_for_us)
{
    ck_assert_int_eq(parse(NULL, NULL, NULL), 0);
    ck_assert_uint_eq(inherited.count, 0);
    ck_assert_int_eq(parse("43", "1", "state"), 0);
    ck_assert_uint_eq(inherited.count, 0);
    ck_assert_int_eq(parse("42", "0", NULL), 0);
    ck_assert_uint_eq(inherited.count, 0);
}
END_TEST

START_TEST(contradictions)
{
    char name[INHERITED_NAME_SIZE + 1];
    memset(name, 'x', sizeof(name));
    name[INHERITED_NAME_SIZE] = '\0';
    ck_assert_int_eq(parse("42", "2", "one"), -1);
    ck_assert_int_eq(parse("42", "1", "one:two"), -1);
    ck_assert_int_eq(parse("42", "1", name), -1);
    ck_assert_int_eq(parse("42", "x", "one"), -1);
    ck_assert_int_eq(parse("", "1", "one"), -1);
    ck_assert_int_eq(parse("42", "-1", "one"), -1);
    ck_assert_int_eq(parse("42", "100000", "one"), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inherited");
    TCase *tests = tcase_create("inherited");
    tcase_add_test(tests, finds_by_name);
    tcase_add_test(tests, nothing_for_us);
    tcase_add_test(tests, contradictions);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
