// The phases of retirement.h, looked at every few milliseconds while one is under way.

#include "retirement.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon.h"
#include "endpoints.h"

enum { POLL_MS = 5, ACK_LIMIT_MS = 1000 };

struct retirement {
    struct worker *worker;
    void (*on_phase)(struct worker *worker, enum retirement_phase phase);
    enum retirement_phase phase;
    bool failed; // it is restarted, not replaced
    uint64_t generation;
    uint64_t entered_ms; // this phase
    uv_timer_t timer;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void retirement_cancel(struct retirement *retirement)
{
    if (!retirement)
        return;
    retirement->worker->retirement = NULL;
    uv_close((uv_handle_t *)&retirement->timer, on_closed);
}

static void enter(struct retirement *retirement, enum retirement_phase phase)
{
    retirement->phase = phase;
    retirement->entered_ms = clock_mono_ms();
    if (retirement->on_phase)
        retirement->on_phase(retirement->worker, phase);
}

static void stop_now(struct retirement *retirement)
{
    struct worker *worker = retirement->worker;
    uv_timer_stop(&retirement->timer);
    enter(retirement, RETIREMENT_STOPPING);
    if (retirement->failed)
        worker_end_failed(worker);
    else
        worker_stop(worker, "replaced");
}

static bool switched(struct retirement *retirement, uint64_t waited_ms)
{
    struct endpoints *endpoints = retirement->worker->app->daemon->endpoints;
    if (endpoints_acknowledged(endpoints, retirement->generation))
        return true;
    if (waited_ms < ACK_LIMIT_MS)
        return false;
    endpoints_kill_silent(endpoints, retirement->generation);
    return true;
}

static bool drained(const struct retirement *retirement, uint64_t waited_ms)
{
    const struct worker *worker = retirement->worker;
    uint64_t in_flight =
        state_endpoint_in_flight(worker->app->daemon->page, (size_t)worker->endpoint);
    if (in_flight == 0)
        return true;
    if (waited_ms < (uint64_t)spec_config(worker->spec)->reload.drain_timeout_ms)
        return false;
    log_warn("%s: %llu requests still in flight at the drain deadline", worker->label,
             (unsigned long long)in_flight);
    return true;
}

static void on_poll(uv_timer_t *timer)
{
    struct retirement *retirement = timer->data;
    const struct reload_config *limits = &spec_config(retirement->worker->spec)->reload;
    uint64_t waited_ms = clock_mono_ms() - retirement->entered_ms;

    switch (retirement->phase) {
    case RETIREMENT_SWITCHING:
        if (switched(retirement, waited_ms))
            enter(retirement, RETIREMENT_DELAYING);
        break;
    case RETIREMENT_DELAYING:
        if (waited_ms >= (uint64_t)limits->drain_delay_ms)
            enter(retirement, RETIREMENT_DRAINING);
        break;
    case RETIREMENT_DRAINING:
        if (drained(retirement, waited_ms))
            stop_now(retirement);
        break;
    case RETIREMENT_STOPPING:
        break;
    }
}

// A reload may come while a worker that failed is on its way out: it goes on from there.
static struct retirement *begin(struct worker *worker)
{
    retirement_cancel(worker->retirement);
    struct retirement *retirement = mem_zalloc(1, sizeof *retirement);
    retirement->worker = worker;
    worker->retirement = retirement;
    uv_timer_init(worker->app->daemon->loop, &retirement->timer);
    retirement->timer.data = retirement;
    worker->serving = false;
    retirement->generation = endpoints_push(worker->app->daemon->endpoints);
    return retirement;
}

static void switch_away(struct retirement *retirement)
{
    enter(retirement, RETIREMENT_SWITCHING);
    uv_timer_start(&retirement->timer, on_poll, 0, POLL_MS);
}

void retirement_start(struct worker *worker,
                      void (*on_phase)(struct worker *worker, enum retirement_phase phase))
{
    struct retirement *retirement = begin(worker);
    retirement->on_phase = on_phase;
    if (worker->state != WORKER_ONLINE || worker->endpoint == WORKER_NO_ENDPOINT) {
        stop_now(retirement);
        return;
    }
    worker_drain(worker);
    switch_away(retirement);
}

void retirement_start_failed(struct worker *worker)
{
    struct retirement *retirement = begin(worker);
    retirement->failed = true;
    if (worker->endpoint == WORKER_NO_ENDPOINT)
        stop_now(retirement);
    else
        switch_away(retirement);
}
