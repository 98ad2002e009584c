// A turn begins when the poll returns: libuv's time is that of this moment, to a millisecond. What
// may be less than one is none, so that a turn costs one look at the clock, and a loop that has
// next to nothing to do has no timer either.
#include "loop_lag.h"

#include "common/clock.h"

static void on_begin(uv_check_t *check)
{
    struct loop_lag *lag = check->data;
    lag->began_ms = uv_now(check->loop);
}

// A second with no turn worth mentioning takes back what was told before.
static void on_window_end(uv_timer_t *timer)
{
    struct loop_lag *lag = timer->data;
    uint64_t longest_us = lag->longest_us;
    lag->longest_us = 0;
    if (longest_us > 0)
        uv_timer_start(timer, on_window_end, LOOP_LAG_WINDOW_MS, 0);
    lag->on_measured(lag->context, longest_us);
}

static void on_end(uv_prepare_t *prepare)
{
    struct loop_lag *lag = prepare->data;
    uint64_t now_us = clock_mono_us(), known_us = (lag->began_ms + 1) * 1000;
    if (lag->began_ms == 0 || now_us <= known_us)
        return;
    if (now_us - known_us > lag->longest_us)
        lag->longest_us = now_us - known_us;
    if (!uv_is_active((uv_handle_t *)&lag->window))
        uv_timer_start(&lag->window, on_window_end, LOOP_LAG_WINDOW_MS, 0);
}

void loop_lag_open(struct loop_lag *lag, uv_loop_t *loop,
                   void (*on_measured)(void *context, uint64_t longest_us), void *context)
{
    *lag = (struct loop_lag){.on_measured = on_measured, .context = context};
    uv_check_init(loop, &lag->begin);
    uv_prepare_init(loop, &lag->end);
    uv_timer_init(loop, &lag->window);
    lag->begin.data = lag->end.data = lag->window.data = lag;
    uv_check_start(&lag->begin, on_begin);
    uv_prepare_start(&lag->end, on_end);
}

void loop_lag_close(struct loop_lag *lag)
{
    uv_close((uv_handle_t *)&lag->begin, NULL);
    uv_close((uv_handle_t *)&lag->end, NULL);
    uv_close((uv_handle_t *)&lag->window, NULL);
}
