// Every cell of the decision about another try.
#include <check.h>
#include <stdlib.h>

#include "retry.h"

START_TEST(every_failure)
{
    static const struct {
        enum retry_failure failure;
        bool reused, is_idempotent;
        enum retry_action action;
    } cases[] = {
        {RETRY_CONNECT_FAILED, false, false, RETRY_NEXT_ENDPOINT},
        {RETRY_CONNECT_FAILED, false, true, RETRY_NEXT_ENDPOINT},
        {RETRY_CONNECT_TIMEOUT, false, false, RETRY_NEXT_ENDPOINT},
        {RETRY_CONNECT_TIMEOUT, false, true, RETRY_NEXT_ENDPOINT},
        {RETRY_CLOSED_UNANSWERED, false, false, RETRY_GIVE_UP},
        {RETRY_CLOSED_UNANSWERED, false, true, RETRY_GIVE_UP},
        {RETRY_CLOSED_UNANSWERED, true, false, RETRY_GIVE_UP},
        {RETRY_CLOSED_UNANSWERED, true, true, RETRY_FRESH_CONNECTION},
        {RETRY_FIRST_BYTE_TIMEOUT, false, true, RETRY_GIVE_UP},
        {RETRY_FIRST_BYTE_TIMEOUT, true, true, RETRY_GIVE_UP},
        {RETRY_BAD_ANSWER, false, true, RETRY_GIVE_UP},
        {RETRY_BAD_ANSWER, true, true, RETRY_GIVE_UP},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        struct retry_try facts = {1, 1, true, cases[i].reused, cases[i].is_idempotent};
        ck_assert_msg(retry_decide(cases[i].failure, &facts) == cases[i].action, "case %zu", i);
        facts.tries = RETRY_MAX_TRIES;
        facts.sent = RETRY_MAX_SENT;
        ck_assert_msg(retry_decide(cases[i].failure, &facts) == RETRY_GIVE_UP, "case %zu", i);
    }
}
END_TEST

START_TEST(unsent_requests_go_on_until_the_time_is_over)
{
    struct retry_try facts = {.tries = RETRY_MAX_TRIES - 1, .has_time = true};
    ck_assert_int_eq(retry_decide(RETRY_CONNECT_FAILED, &facts), RETRY_NEXT_ENDPOINT);
    facts.has_time = false;
    ck_assert_int_eq(retry_decide(RETRY_CONNECT_FAILED, &facts), RETRY_GIVE_UP);
    ck_assert_int_eq(retry_decide(RETRY_CONNECT_TIMEOUT, &facts), RETRY_GIVE_UP);
}
END_TEST

START_TEST(status_of_the_last_failure)
{
    ck_assert_int_eq(retry_status(RETRY_CONNECT_FAILED), 502);
    ck_assert_int_eq(retry_status(RETRY_CONNECT_TIMEOUT), 504);
    ck_assert_int_eq(retry_status(RETRY_CLOSED_UNANSWERED), 502);
    ck_assert_int_eq(retry_status(RETRY_FIRST_BYTE_TIMEOUT), 504);
    ck_assert_int_eq(retry_status(RETRY_BAD_ANSWER), 502);
}
END_TEST

START_TEST(idempotent_methods)
{
    ck_assert(retry_is_idempotent(SPAN("GET")));
    ck_assert(retry_is_idempotent(SPAN("HEAD")));
    ck_assert(retry_is_idempotent(SPAN("OPTIONS")));
    ck_assert(retry_is_idempotent(SPAN("PUT")));
    ck_assert(retry_is_idempotent(SPAN("DELETE")));
    ck_assert(retry_is_idempotent(SPAN("TRACE")));
    ck_assert(!retry_is_idempotent(SPAN("POST")));
    ck_assert(!retry_is_idempotent(SPAN("PATCH")));
    ck_assert(!retry_is_idempotent(SPAN("get")));
    ck_assert(!retry_is_idempotent(SPAN("GETS")));
    ck_assert(!retry_is_idempotent(SPAN("")));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retry");
    TCase *tests = tcase_create("retry");
    tcase_add_test(tests, every_failure);
    tcase_add_test(tests, unsent_requests_go_on_until_the_time_is_over);
    tcase_add_test(tests, status_of_the_last_failure);
    tcase_add_test(tests, idempotent_methods);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
