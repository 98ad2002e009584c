// For unit tests of modules with libuv inside: a loop that runs until something is true.
#ifndef GW_TEST_LOOP_TEST_H
#define GW_TEST_LOOP_TEST_H

#include <check.h>
#include <stdbool.h>
#include <uv.h>

enum { LOOP_TEST_LIMIT_MS = 20000, LOOP_TEST_TICK_MS = 10 };

static uv_loop_t test_loop;

static void loop_test_on_tick(uv_timer_t *timer)
{
    (void)timer; // wakes the loop, so that conditions outside of it are seen too
}

// Runs test_loop until condition(context) holds; fails the test when it does not for too long.
static inline void loop_test_wait(bool (*condition)(void *context), void *context)
{
    uv_timer_t tick;
    uv_update_time(&test_loop);
    uint64_t limit = uv_now(&test_loop) + LOOP_TEST_LIMIT_MS;

    uv_timer_init(&test_loop, &tick);
    uv_timer_start(&tick, loop_test_on_tick, LOOP_TEST_TICK_MS, LOOP_TEST_TICK_MS);
    while (!condition(context)) {
        ck_assert_msg(uv_now(&test_loop) < limit, "the condition did not come true");
        uv_run(&test_loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&test_loop, UV_RUN_NOWAIT);
}

static inline bool loop_test_is_set(void *flag)
{
    return *(bool *)flag;
}

static inline void loop_test_open(void)
{
    ck_assert_int_eq(uv_loop_init(&test_loop), 0);
}

// Whatever was not closed shows here: uv_run would not end, or the loop is busy.
static inline void loop_test_close(void)
{
    uv_run(&test_loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&test_loop), 0);
}

#endif
