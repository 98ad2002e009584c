// Two timers: one between two tries of the probe, one for the silence of the process.

#include "liveness.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "daemon.h"
#include "probe.h"
#include "worker.h"

enum { SECOND_LOOK_MS = 100, REASON_SIZE = 160 };

struct liveness {
    struct worker *worker;
    const struct app_config *config;
    uv_timer_t next_try;
    uv_timer_t silence;
    unsigned open_timers;
    struct probe *probe; // NULL: none is under way
    int64_t failures;    // in a row
    bool suspected;      // silent for too long, but a word of it may wait in the socket
};

// --- health -------------------------------------------------------------------------------------

static void on_next_try(uv_timer_t *timer);

static void try_later(struct liveness *liveness, int64_t delay_ms)
{
    uv_timer_start(&liveness->next_try, on_next_try, (uint64_t)delay_ms, 0);
}

static void on_probed(void *context, bool ok, const char *why)
{
    struct liveness *liveness = context;
    const struct health_config *health = &liveness->config->health;
    char reason[REASON_SIZE];

    liveness->probe = NULL;
    liveness->failures = ok ? 0 : liveness->failures + 1;
    if (liveness->failures < health->failures) {
        try_later(liveness, health->interval_ms);
        return;
    }
    snprintf(reason, sizeof reason, "unhealthy %lld times in a row: %s",
             (long long)liveness->failures, why);
    worker_fail(liveness->worker, RESTART_HEALTH, reason);
}

static void on_next_try(uv_timer_t *timer)
{
    struct liveness *liveness = timer->data;
    const struct health_config *health = &liveness->config->health;
    struct probe_options options = {
        .kind = health->http   ? PROBE_HTTP
                : health->exec ? PROBE_EXEC
                               : PROBE_TCP,
        .host = "127.0.0.1",
        .port = liveness->worker->port,
        .path = health->http,
        .command = health->exec,
        .cwd = liveness->config->cwd,
        .timeout_ms = (uint64_t)health->timeout_ms,
    };
    liveness->probe = probe_start(timer->loop, &options, on_probed, liveness);
}

// --- watchdog -----------------------------------------------------------------------------------

// A supervisor that was stopped itself sees its timers first and what was sent to it afterwards: so
// nobody is judged at the first look.
static void on_silence(uv_timer_t *timer)
{
    struct liveness *liveness = timer->data;
    char lasted[32], reason[REASON_SIZE];

    if (!liveness->suspected) {
        liveness->suspected = true;
        uv_timer_start(timer, on_silence, SECOND_LOOK_MS, 0);
        return;
    }
    clock_format_duration((uint64_t)liveness->config->watchdog_ms, lasted, sizeof lasted);
    snprintf(reason, sizeof reason, "no WATCHDOG=1 for %s", lasted);
    worker_fail(liveness->worker, RESTART_HUNG, reason);
}

void liveness_notified(struct liveness *liveness)
{
    if (liveness->config->watchdog_ms == 0)
        return;
    liveness->suspected = false;
    uv_timer_start(&liveness->silence, on_silence, (uint64_t)liveness->config->watchdog_ms, 0);
}

// --- public -------------------------------------------------------------------------------------

static void init_timer(struct liveness *liveness, uv_timer_t *timer)
{
    uv_timer_init(liveness->worker->app->daemon->loop, timer);
    timer->data = liveness;
    liveness->open_timers++;
}

struct liveness *liveness_start(struct worker *worker)
{
    const struct app_config *config = spec_config(worker->spec);
    const struct health_config *health = &config->health;

    if (!health_config_is_on(health) && config->watchdog_ms == 0)
        return NULL;
    struct liveness *liveness = mem_zalloc(1, sizeof *liveness);
    liveness->worker = worker;
    liveness->config = config;
    init_timer(liveness, &liveness->next_try);
    init_timer(liveness, &liveness->silence);
    if (health_config_is_on(health))
        try_later(liveness,
                  health->start_delay_ms > 0 ? health->start_delay_ms : health->interval_ms);
    liveness_notified(liveness);
    return liveness;
}

static void on_closed(uv_handle_t *handle)
{
    struct liveness *liveness = handle->data;
    if (--liveness->open_timers == 0)
        free(liveness);
}

void liveness_stop(struct liveness *liveness)
{
    if (!liveness)
        return;
    probe_cancel(liveness->probe);
    uv_close((uv_handle_t *)&liveness->next_try, on_closed);
    uv_close((uv_handle_t *)&liveness->silence, on_closed);
}
