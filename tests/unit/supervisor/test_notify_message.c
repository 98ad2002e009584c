// The notify protocol's datagrams.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "notify_message.h"

enum { R = 1, S = 2, L = 4, W = 8 };

static const struct {
    const char *text;
    int flags;
    const char *status; // NULL: none
} good[] = {
    {"READY=1", R, NULL},
    {"READY=1\n", R, NULL},
    {"READY=1\nSTATUS=serving", R, "serving"},
    {"STOPPING=1\nRELOADING=1\nWATCHDOG=1", S | L | W, NULL},
    {"STATUS=one\nSTATUS=two", 0, "two"},
    {"STATUS=", 0, ""},
    {"STATUS=a=b\tc \x1b[0m", 0, "a=b c ?[0m"},
    {"READY=0", 0, NULL},
    {"READY=", 0, NULL},
    {"READY=11", 0, NULL},
    {"WATCHDOG=trigger", 0, NULL},
    {"X_KEY2=anything\nREADY=1", R, NULL},
    {"MAINPID=12\nERRNO=2", 0, NULL},
};

static const char *const bad[] = {
    "",        "\n",          "READY",      "READY\n=1",      "=1",
    "ready=1", "READY =1",    " READY=1",   "READY=1\n\nX=1", "READY=1\nnonsense",
    "RE-DY=1", "READY=1\nX ", "\xc3\x84=1",
};

START_TEST(reads_a_message)
{
    struct notify_message message;
    struct err err;
    const char *text = good[_i].text;

    ck_assert_int_eq(notify_message_parse(text, strlen(text), &message, &err), 0);
    ck_assert_int_eq(message.ready * R + message.stopping * S + message.reloading * L +
                         message.watchdog * W,
                     good[_i].flags);
    ck_assert_int_eq(message.has_status, good[_i].status != NULL);
    ck_assert_str_eq(message.status, good[_i].status ? good[_i].status : "");
}
END_TEST

START_TEST(refuses_what_is_malformed)
{
    struct notify_message message, nothing = {0};
    struct err err = {{0}};

    ck_assert_int_eq(notify_message_parse(bad[_i], strlen(bad[_i]), &message, &err), -1);
    ck_assert_str_ne(err.text, "");
    ck_assert_mem_eq(&message, &nothing, sizeof message);
}
END_TEST

START_TEST(limits)
{
    struct notify_message message;
    struct err err;
    char text[NOTIFY_MESSAGE_MAX + 1];

    memset(text, 'x', sizeof text);
    memcpy(text, "STATUS=", 7);
    ck_assert_int_eq(notify_message_parse(text, NOTIFY_MESSAGE_MAX, &message, &err), 0);
    ck_assert_uint_eq(strlen(message.status), NOTIFY_STATUS_SIZE - 1);
    ck_assert_int_eq(notify_message_parse(text, NOTIFY_MESSAGE_MAX + 1, &message, &err), -1);
    ck_assert_int_eq(notify_message_parse("READY=1\0", 8, &message, &err), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify_message");
    TCase *tests = tcase_create("notify_message");
    tcase_add_loop_test(tests, reads_a_message, 0, sizeof good / sizeof good[0]);
    tcase_add_loop_test(tests, refuses_what_is_malformed, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(tests, limits);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
