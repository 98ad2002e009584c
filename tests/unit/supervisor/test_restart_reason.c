// What an exit counts as, and the words.

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "process.h"
#include "restart_reason.h"

static const struct row {
    int status;
    enum restart_reason reason;
} rows[] = {
    {0, RESTART_EXIT},
    {1 << 8, RESTART_CRASH},
    {127 << 8, RESTART_CRASH},
    {SIGKILL, RESTART_CRASH},
    {SIGSEGV | 0x80, RESTART_CRASH}, // with a core
    {PROCESS_STATUS_UNKNOWN, RESTART_CRASH},
};

START_TEST(exits)
{
    ck_assert_int_eq(restart_reason_of_exit(rows[_i].status), rows[_i].reason);
}
END_TEST

START_TEST(words)
{
    static const char *const expected[] = {"crash",  "exit",   "not_ready", "hung",
                                           "health", "memory", "manual",    "reload"};
    ck_assert_uint_eq(sizeof expected / sizeof *expected, RESTART_REASONS);
    for (int i = 0; i < RESTART_REASONS; i++) {
        ck_assert_str_eq(restart_reason_name((enum restart_reason)i), expected[i]);
        ck_assert_int_eq(restart_reason_find(expected[i]), i);
    }
    ck_assert_int_eq(restart_reason_find("bored"), RESTART_NO_REASON);
    ck_assert_int_eq(restart_reason_find(""), RESTART_NO_REASON);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("restart_reason");
    TCase *tests = tcase_create("restart_reason");
    tcase_add_loop_test(tests, exits, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, words);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
