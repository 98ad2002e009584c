// The course of a drain:
//
//   NONE --order--> WAITING --deadline or order--> BREAKING --deadline--> OVER
//                      +------- no connection left ----+------------------^
#include "drain.h"

static void start_breaking(struct drain *drain, uint64_t now_ms)
{
    drain->state = DRAIN_BREAKING;
    drain->deadline_ms = now_ms + DRAIN_BREAK_MS;
}

void drain_order(struct drain *drain, uint64_t now_ms, int64_t kill_timeout_ms)
{
    switch (drain->state) {
    case DRAIN_NONE:
        drain->state = DRAIN_WAITING;
        drain->began_ms = now_ms;
        drain->deadline_ms = now_ms;
        if (kill_timeout_ms > DRAIN_RESERVE_MS)
            drain->deadline_ms += (uint64_t)(kill_timeout_ms - DRAIN_RESERVE_MS);
        break;
    case DRAIN_WAITING:
        start_breaking(drain, now_ms);
        break;
    case DRAIN_BREAKING:
    case DRAIN_OVER:
        break;
    }
}

bool drain_step(struct drain *drain, uint64_t now_ms, size_t connections)
{
    enum drain_state before = drain->state;
    if (drain->state != DRAIN_NONE && connections == 0)
        drain->state = DRAIN_OVER;
    else if (drain->state == DRAIN_WAITING && now_ms >= drain->deadline_ms)
        start_breaking(drain, now_ms);
    else if (drain->state == DRAIN_BREAKING && now_ms >= drain->deadline_ms)
        drain->state = DRAIN_OVER;
    return drain->state != before;
}

bool drain_ends_idle(const struct drain *drain, uint64_t now_ms, uint64_t idle_since_ms)
{
    return drain->state == DRAIN_WAITING && now_ms - drain->began_ms >= DRAIN_IDLE_MS &&
           now_ms - idle_since_ms >= DRAIN_IDLE_MS;
}
