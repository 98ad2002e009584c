// What answers mean, the first and those after it.

#include <check.h>
#include <stdlib.h>

#include "warm_verdict.h"

static const struct row {
    struct warm_answer answer;
    unsigned asked;
    enum warm_verdict verdict;
    const char *reason;
} rows[] = {
    {{200, "HIT", NULL, NULL, false}, 0, WARM_THERE, ""},
    {{200, "HIT", NULL, NULL, true}, 0, WARM_THERE, ""}, // the route ignores it
    {{200, "MISS", NULL, NULL, false}, 0, WARM_ASK_AGAIN, ""},
    {{200, "HIT", NULL, NULL, false}, 1, WARM_STORED, ""},
    {{200, "MISS", "max-age=1", "Accept", false}, 1, WARM_ASK_AGAIN, ""}, // not yet, perhaps
    {{200, "HIT", NULL, NULL, false}, 2, WARM_STORED, ""},
    {{200, "MISS", NULL, NULL, false}, 2, WARM_NOT_CACHEABLE, "a miss each time"},
    {{200, "MISS", "private", NULL, true}, 0, WARM_ASK_AGAIN, ""}, // the route may ignore it
    {{200, "MISS", NULL, NULL, true}, 1, WARM_NOT_CACHEABLE, "Set-Cookie"},
    {{200, "MISS", NULL, "Accept, *", false}, 1, WARM_NOT_CACHEABLE, "Vary: *"},
    {{200, "MISS", "max-age=1, No-Store", NULL, false},
     1,
     WARM_NOT_CACHEABLE,
     "Cache-Control: no-store"},
    {{204, "MISS", "PRIVATE", NULL, false}, 1, WARM_NOT_CACHEABLE, "Cache-Control: private"},
    {{200, "STALE", NULL, NULL, false}, 0, WARM_FAILED, "only a stale answer: the upstream fails"},
    {{200, "BYPASS", NULL, NULL, false}, 0, WARM_NOT_CACHEABLE, "the cache is not asked: BYPASS"},
    {{200, NULL, NULL, NULL, false}, 0, WARM_NOT_CACHEABLE, "no cache on its route"},
    {{301, "MISS", NULL, NULL, false}, 0, WARM_NOT_CACHEABLE, "status 301"},
    {{404, NULL, NULL, NULL, false}, 0, WARM_NOT_CACHEABLE, "status 404"},
    {{500, "MISS", NULL, NULL, false}, 0, WARM_FAILED, "status 500"},
    {{503, NULL, NULL, NULL, false}, 1, WARM_FAILED, "status 503"},
};

START_TEST(answers)
{
    const struct row *row = &rows[_i];
    struct buf reason = BUF_INIT;
    ck_assert_int_eq(warm_judge(&row->answer, row->asked, &reason), row->verdict);
    ck_assert_str_eq(buf_text(&reason), row->reason);
    buf_free(&reason);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("warm_verdict");
    TCase *tests = tcase_create("warm_verdict");
    tcase_add_loop_test(tests, answers, 0, (int)(sizeof rows / sizeof *rows));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
