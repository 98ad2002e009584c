// How long the turns of the loop take: while one goes on, everybody else waits.
#ifndef GW_GATEWAY_LOOP_LAG_H
#define GW_GATEWAY_LOOP_LAG_H

#include <stdint.h>
#include <uv.h>

enum { LOOP_LAG_WINDOW_MS = 1000 };

struct loop_lag {
    uv_check_t begin; // after a poll
    uv_prepare_t end; // before the next one
    uv_timer_t window;
    uint64_t began_ms;
    uint64_t longest_us; // of the turns since the window began
    void (*on_measured)(void *context, uint64_t longest_us);
    void *context;
};

// on_measured is called each second with the longest turn of that second, to a millisecond, until
// one had none that took so long; then not before another one had.
void loop_lag_open(struct loop_lag *lag, uv_loop_t *loop,
                   void (*on_measured)(void *context, uint64_t longest_us), void *context);
void loop_lag_close(struct loop_lag *lag);

#endif
