// What is read as a way to end, and which statuses are in it.

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/exit_set.h"
#include "common/signal_name.h"

#define EXITED(code) ((code) << 8)
#define KILLED(signal) (signal)
#define CORE 0x80

static int parse(const char *text, struct exit_set *set, struct err *err)
{
    struct json_object *value = json_tokener_parse(text);
    int result = exit_set_parse(value, set, err);
    json_object_put(value);
    return result;
}

START_TEST(codes_and_signals)
{
    struct exit_set set;
    struct err err;
    ck_assert_int_eq(parse("[0, \"63\", 64, 255, \"SIGTERM\", \"KILL\"]", &set, &err), 0);
    static const int in[] = {EXITED(0),   EXITED(63),      EXITED(64),
                             EXITED(255), KILLED(SIGTERM), KILLED(SIGKILL) | CORE};
    static const int out[] = {EXITED(1), EXITED(143), KILLED(SIGSEGV), EXITED(SIGTERM), -1};
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        ck_assert_msg(exit_set_has(&set, in[i]), "%d", in[i]);
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        ck_assert_msg(!exit_set_has(&set, out[i]), "%d", out[i]);
}
END_TEST

START_TEST(a_death_by_signal_is_no_code)
{
    struct exit_set set;
    struct err err;
    ck_assert_int_eq(parse("[0, 137]", &set, &err), 0);
    ck_assert(!exit_set_has(&set, KILLED(SIGKILL)));
    ck_assert(exit_set_has(&set, EXITED(137)));
}
END_TEST

START_TEST(one_alone_and_none)
{
    struct exit_set set;
    struct err err;
    ck_assert_int_eq(parse("3", &set, &err), 0);
    ck_assert(exit_set_has(&set, EXITED(3)) && !exit_set_has(&set, EXITED(0)));
    ck_assert_int_eq(parse("\"SIGHUP\"", &set, &err), 0);
    ck_assert(exit_set_has(&set, KILLED(SIGHUP)) && !exit_set_has(&set, EXITED(3)));
    ck_assert_int_eq(parse("[]", &set, &err), 0);
    ck_assert(!exit_set_has(&set, EXITED(0)));
}
END_TEST

START_TEST(what_is_neither_is_refused)
{
    static const char *const wrong[] = {"256",  "-1",     "1.5",   "\"3x\"", "\"SIGNOPE\"",
                                        "\"\"", "[true]", "[[1]]", "{}",     "null"};
    struct exit_set set;
    struct err err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(parse(wrong[i], &set, &err) == -1, "%s", wrong[i]);
        ck_assert(!exit_set_has(&set, EXITED(1)));
    }
    ck_assert_int_eq(parse("[1, 300]", &set, &err), -1);
    ck_assert_str_eq(err.text, "300 is not an exit code (0 to 255) or the name of a signal");
    ck_assert(!exit_set_has(&set, EXITED(1)));
}
END_TEST

START_TEST(names_of_signals)
{
    ck_assert_int_eq(signal_name_find("SIGTERM"), SIGTERM);
    ck_assert_int_eq(signal_name_find("USR2"), SIGUSR2);
    ck_assert_int_eq(signal_name_find("SIG"), 0);
    ck_assert_int_eq(signal_name_find("sigterm"), 0);
    ck_assert_int_eq(signal_name_find(""), 0);
    char name[SIGNAL_NAME_SIZE];
    signal_name_format(SIGKILL, name);
    ck_assert_str_eq(name, "SIGKILL");
    signal_name_format(SIGRTMIN + 1, name);
    ck_assert_int_eq(strncmp(name, "signal ", 7), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exit_set");
    TCase *cases = tcase_create("exits");
    tcase_add_test(cases, codes_and_signals);
    tcase_add_test(cases, a_death_by_signal_is_no_code);
    tcase_add_test(cases, one_alone_and_none);
    tcase_add_test(cases, what_is_neither_is_refused);
    tcase_add_test(cases, names_of_signals);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
