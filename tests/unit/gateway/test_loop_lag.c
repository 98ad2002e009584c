// A turn that took long is told of, and taken back by a second without one.
#include <check.h>

#include "common/clock.h"
#include "loop_lag.h"
#include "loop_test.h"

enum { LONG_MS = 300, SHORT_MS = 50 };

static struct loop_lag lag;
static uint64_t told_us, most_us;

static void on_measured(void *context, uint64_t longest_us)
{
    ck_assert_ptr_eq(context, &lag);
    told_us = longest_us;
    if (longest_us > most_us)
        most_us = longest_us;
}

struct work {
    uint64_t for_us;
    bool is_done;
};

// Keeps the loop busy, which is what this is about.
static void on_work(uv_timer_t *timer)
{
    struct work *work = timer->data;
    uint64_t until_us = clock_mono_us() + work->for_us;
    while (clock_mono_us() < until_us)
        ;
    work->is_done = true;
}

static void work_for(unsigned ms)
{
    struct work work = {.for_us = ms * 1000};
    uv_timer_t timer;
    uv_timer_init(&test_loop, &timer);
    timer.data = &work;
    uv_timer_start(&timer, on_work, 1, 0);
    loop_test_wait(loop_test_is_set, &work.is_done);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&test_loop, UV_RUN_NOWAIT);
}

static bool is_told(void *context)
{
    (void)context;
    return most_us >= (LONG_MS - 1) * 1000;
}

static bool is_taken_back(void *context)
{
    (void)context;
    return told_us < LONG_MS * 1000 / 2; // a busy machine has turns of its own
}

static void set_up(void)
{
    loop_test_open();
    told_us = most_us = 0;
    loop_lag_open(&lag, &test_loop, on_measured, &lag);
}

static void tear_down(void)
{
    loop_lag_close(&lag);
    loop_test_close();
}

START_TEST(the_longest_turn_is_told_and_taken_back)
{
    work_for(SHORT_MS);
    work_for(LONG_MS);
    work_for(SHORT_MS);
    loop_test_wait(is_told, NULL);
    loop_test_wait(is_taken_back, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop_lag");
    TCase *tests = tcase_create("loop_lag");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_longest_turn_is_told_and_taken_back);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
