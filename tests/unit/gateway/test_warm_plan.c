// What is asked for next, and what answers mean.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "warm_plan.h"

enum { START_MS = 1000, TIMEOUT_MS = 5000 };

static struct warm_plan plan;

static void begin(size_t count)
{
    warm_plan_init(&plan, count, START_MS, TIMEOUT_MS);
}

static void end(size_t index, int status, const char *word, uint64_t now_ms)
{
    struct warm_answer answer = {status, {word, strlen(word)}};
    warm_plan_end(&plan, index, &answer, now_ms);
}

START_TEST(a_few_at_once_in_their_order)
{
    begin(6);
    for (size_t i = 0; i < WARM_AT_ONCE; ++i)
        ck_assert_uint_eq(warm_plan_next(&plan, START_MS), i);
    ck_assert(warm_plan_next(&plan, START_MS) == WARM_NONE);
    end(2, 200, "HIT", START_MS);
    ck_assert_uint_eq(warm_plan_next(&plan, START_MS), 4);
    ck_assert(warm_plan_next(&plan, START_MS) == WARM_NONE);
    warm_plan_fini(&plan);
}
END_TEST

static const struct answer_row {
    int status;
    const char *word;
    enum warm_state state;
    uint64_t pause_ms;
    const char *reason;
} answers[] = {
    {200, "HIT", WARM_WARM, 0, NULL},
    {299, "HIT", WARM_WARM, 0, NULL},
    {200, "MISS", WARM_WAITING, 0, "not in time"},
    {200, "BYPASS", WARM_REFUSED, 0, "it goes past the cache"},
    {200, "", WARM_REFUSED, 0, "it goes past the cache"},
    {200, "STALE", WARM_WAITING, WARM_PAUSE_MS, "not in time"},
    {0, "", WARM_WAITING, WARM_PAUSE_MS, "not in time"},
    {502, "", WARM_WAITING, WARM_PAUSE_MS, "not in time"},
    {503, "MISS", WARM_WAITING, WARM_PAUSE_MS, "not in time"},
    {504, "", WARM_WAITING, WARM_PAUSE_MS, "not in time"},
    {404, "MISS", WARM_REFUSED, 0, "no answer that is stored"},
    {302, "MISS", WARM_REFUSED, 0, "no answer that is stored"},
    {500, "MISS", WARM_REFUSED, 0, "no answer that is stored"},
    {505, "", WARM_REFUSED, 0, "no answer that is stored"},
};

START_TEST(what_answers_mean)
{
    const struct answer_row *row = &answers[_i];
    uint64_t now_ms = START_MS + 7;
    begin(1);
    ck_assert_uint_eq(warm_plan_next(&plan, now_ms), 0);
    end(0, row->status, row->word, now_ms);
    ck_assert_int_eq(plan.items[0].state, row->state);
    ck_assert_int_eq(plan.items[0].status, row->status);
    ck_assert_uint_eq(warm_plan_count_warm(&plan), row->state == WARM_WARM ? 1 : 0);
    ck_assert(warm_plan_is_over(&plan, now_ms) == (row->state != WARM_WAITING));
    if (row->reason != NULL)
        ck_assert_str_eq(warm_plan_reason(&plan.items[0]), row->reason);
    if (row->pause_ms > 0)
        ck_assert(warm_plan_next(&plan, now_ms + row->pause_ms - 1) == WARM_NONE);
    size_t next = warm_plan_next(&plan, now_ms + row->pause_ms);
    ck_assert(next == (row->state == WARM_WAITING ? 0 : WARM_NONE));
    warm_plan_fini(&plan);
}
END_TEST

START_TEST(only_misses_are_no_answer_to_store)
{
    begin(1);
    for (int i = 0; i < WARM_MISSES; ++i) {
        ck_assert_uint_eq(warm_plan_next(&plan, START_MS), 0);
        end(0, 200, "MISS", START_MS);
    }
    ck_assert_int_eq(plan.items[0].state, WARM_REFUSED);
    ck_assert_str_eq(warm_plan_reason(&plan.items[0]), "the answer forbids to store it");
    warm_plan_fini(&plan);
}
END_TEST

START_TEST(the_time_is_limited)
{
    begin(2);
    ck_assert_uint_eq(warm_plan_next(&plan, START_MS), 0);
    ck_assert(!warm_plan_is_over(&plan, START_MS + TIMEOUT_MS - 1));
    ck_assert(warm_plan_is_over(&plan, START_MS + TIMEOUT_MS));
    ck_assert_str_eq(warm_plan_reason(&plan.items[1]), "not in time");
    warm_plan_fini(&plan);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("warm_plan");
    TCase *tests = tcase_create("warm_plan");
    tcase_add_test(tests, a_few_at_once_in_their_order);
    tcase_add_loop_test(tests, what_answers_mean, 0, (int)(sizeof(answers) / sizeof(answers[0])));
    tcase_add_test(tests, only_misses_are_no_answer_to_store);
    tcase_add_test(tests, the_time_is_limited);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
