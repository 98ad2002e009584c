// Drives reload_plan: starts new processes, holds them, hands over, retires the old ones.
//
// A slot's `incoming` becomes its `current` at the hand-over, and `current` its `outgoing`: from
// there on only the old process is waited for.

#include "reload.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon.h"
#include "events.h"
#include "reload_plan.h"
#include "retirement.h"

struct reload {
    struct app *app;
    struct spec *spec;
    struct reload_plan plan;
    struct operation *operation;
    enum restart_reason as; // what the restarts are counted as
    bool single;            // of one slot, with the settings it has
    bool rolling;
    bool rollback;  // brings back the old spec after a failure
    bool cancelled; // the app is being stopped: nothing is to be brought back
    bool advancing;
    uint64_t *held_since_ms; // by slot; 0: not held
    uv_timer_t timer;        // min_ready of held slots
    char why[WORKER_LABEL_SIZE + WORKER_REASON_SIZE + 32];
};

static void advance(struct reload *reload);

static void tell(struct reload *reload, size_t slot, const char *what)
{
    if (reload->operation)
        operation_progress(reload->operation, "%s%s#%zu: %s", reload->rollback ? "rollback: " : "",
                           reload->app->name, slot, what);
}

static void note(const struct reload *reload, const char *name, size_t slots)
{
    events_note_app(reload->app, "reload", name, "%zu %s", slots, slots == 1 ? "slot" : "slots");
}

static void tell_done(struct reload *reload, size_t slot)
{
    tell(reload, slot, "done");
    events_note_worker(reload->app->slots[slot]->current, "reload", "slot", "%sdone",
                       reload->rollback ? "rollback: " : "");
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void reload_free(struct reload *reload)
{
    reload_plan_fini(&reload->plan);
    spec_unref(reload->spec);
    free(reload->held_since_ms);
    uv_close((uv_handle_t *)&reload->timer, on_closed);
}

// --- steps of one slot --------------------------------------------------------------------------

static void begin_slot(struct reload *reload, size_t number)
{
    struct slot *slot = reload->app->slots[number];

    reload_plan_event(&reload->plan, number, RELOAD_EV_BEGIN);
    tell(reload, number, reload->rolling ? "starting the new process" : "restarting");
    if (!reload->rolling) {
        spec_unref(slot->current->spec);
        slot->current->spec = spec_ref(reload->spec);
        worker_restart(slot->current, reload->as);
        return;
    }
    slot->incoming = worker_new(reload->app, slot, reload->spec);
    slot->incoming->candidate = true;
    worker_start(slot->incoming);
}

static void on_phase(struct worker *worker, enum retirement_phase phase)
{
    struct reload *reload = worker->app->reload;
    size_t slot = worker->slot->index;
    if (!reload)
        return;
    if (phase == RETIREMENT_DELAYING) {
        tell(reload, slot, "no new request goes to the old process");
        reload_plan_event(&reload->plan, slot, RELOAD_EV_SWITCHED);
    } else if (phase == RETIREMENT_STOPPING) {
        reload_plan_event(&reload->plan, slot, RELOAD_EV_SWITCHED);
        reload_plan_event(&reload->plan, slot, RELOAD_EV_DRAINED);
        tell(reload, slot, "the old process gets its stop signal");
    }
}

static void hand_over(struct reload *reload, size_t number)
{
    struct slot *slot = reload->app->slots[number];
    reload_plan_event(&reload->plan, number, RELOAD_EV_HELD);
    app_count_restart(slot, reload->as);
    slot->outgoing = slot->current;
    slot->current = slot->incoming;
    slot->incoming = NULL;
    slot->current->candidate = false;
    slot->current->serving = true;
    retirement_start(slot->outgoing, on_phase);
    // One that did not run is gone already.
    if (slot->outgoing && !worker_state_alive(slot->outgoing->state))
        reload_worker_changed(reload, slot->outgoing);
}

static void finish_restart(struct reload *reload, size_t number)
{
    reload_plan_event(&reload->plan, number, RELOAD_EV_HELD);
    reload_plan_event(&reload->plan, number, RELOAD_EV_SWITCHED);
    reload_plan_event(&reload->plan, number, RELOAD_EV_GONE);
    tell_done(reload, number);
}

static void on_held(uv_timer_t *timer)
{
    struct reload *reload = timer->data;
    uint64_t now = clock_mono_ms();
    uint64_t min_ready = (uint64_t)spec_config(reload->spec)->reload.min_ready_ms;

    reload->advancing = true; // a hand-over may be all that was missing: not in the middle of this
    for (size_t i = 0; i < reload->plan.count; i++) {
        if (reload->plan.steps[i] != RELOAD_HOLDING || now - reload->held_since_ms[i] < min_ready)
            continue;
        if (reload->rolling)
            hand_over(reload, i);
        else
            finish_restart(reload, i);
    }
    reload->advancing = false;
    advance(reload);
}

// --- the whole ----------------------------------------------------------------------------------

static void finish(struct reload *reload);

static void cancel_waiting(struct reload *reload)
{
    for (size_t i = 0; i < reload->plan.count; i++) {
        struct slot *slot = reload->app->slots[i];
        if (slot->incoming && slot->incoming->state != WORKER_STOPPING)
            worker_stop(slot->incoming, "the reload failed");
    }
}

static void advance(struct reload *reload)
{
    size_t slot;
    if (reload->advancing)
        return;
    reload->advancing = true;
    while (reload_plan_next(&reload->plan, &slot))
        begin_slot(reload, slot);
    if (reload->plan.failed)
        cancel_waiting(reload);
    reload->advancing = false;
    if (reload_plan_finished(&reload->plan))
        finish(reload);
}

static struct reload *reload_new(struct app *app, struct spec *spec, struct operation *operation)
{
    struct reload *reload = mem_zalloc(1, sizeof *reload);
    reload->app = app;
    reload->spec = spec_ref(spec);
    reload->as = RESTART_RELOAD;
    reload->operation = operation;
    reload->rolling = app_can_roll(app);
    reload->held_since_ms = mem_zalloc(app->slot_count, sizeof(uint64_t));
    reload_plan_init(&reload->plan, app->slot_count, (size_t)spec_config(spec)->reload.parallel);
    uv_timer_init(app->daemon->loop, &reload->timer);
    reload->timer.data = reload;
    app->reload = reload;
    return reload;
}

// Only the slots that the failed plan had replaced.
static bool start_rollback(struct reload *failed)
{
    struct app *app = failed->app;
    size_t done = 0;
    for (size_t i = 0; i < failed->plan.count; i++)
        done += failed->plan.steps[i] == RELOAD_DONE ||
                (!failed->rolling && failed->plan.steps[i] == RELOAD_FAILED);
    if (done == 0 || failed->single || failed->rollback || failed->cancelled)
        return false;
    struct reload *reload = reload_new(app, app->spec, failed->operation);
    reload->rollback = true;
    note(reload, "rollback", done);
    for (size_t i = 0; i < failed->plan.count; i++) {
        bool touched = failed->plan.steps[i] == RELOAD_DONE ||
                       (!failed->rolling && failed->plan.steps[i] == RELOAD_FAILED);
        if (!touched)
            reload->plan.steps[i] = RELOAD_DONE;
    }
    return true;
}

static void settle(struct reload *reload)
{
    struct app *app = reload->app;
    struct spec *before = spec_ref(app->spec);
    if (!reload->single)
        app_set_spec(app, reload->spec);
    log_info("%s: reloaded", app->name);
    note(reload, "done", reload->single ? 1 : reload->plan.count);
    if (reload->operation)
        operation_follow_instances(reload->operation, app, before);
    spec_unref(before);
}

static void note_failure(const struct reload *reload)
{
    const struct app *app = reload->app;
    log_error("%s: reload failed: %s", app->name, reload->why);
    events_note_app(app, "reload", "failed", "%s%s", reload->rollback ? "rollback: " : "",
                    reload->why);
}

static void finish(struct reload *reload)
{
    struct app *app = reload->app;
    struct operation *operation = reload->operation;
    bool failed = reload->plan.failed || reload->rollback;

    app->reload = NULL;
    if (reload->plan.failed && operation)
        operation_fail(operation, "%s%s", reload->rollback ? "rollback: " : "", reload->why);
    if (reload->plan.failed)
        note_failure(reload);
    if (!failed)
        settle(reload);
    bool more = reload->plan.failed && !app->deleting && start_rollback(reload);
    reload_free(reload);
    if (more)
        advance(app->reload);
    else if (operation)
        operation_done(operation);
}

static void lose(struct reload *reload, struct worker *worker)
{
    size_t slot = worker->slot->index;
    if (reload->plan.steps[slot] == RELOAD_STARTING || reload->plan.steps[slot] == RELOAD_HOLDING) {
        if (!reload->plan.failed)
            snprintf(reload->why, sizeof reload->why, "%s: the new process failed: %s",
                     worker->label, worker->reason);
        reload_plan_event(&reload->plan, slot, RELOAD_EV_LOST);
        tell(reload, slot, worker->reason);
    }
}

static void hold(struct reload *reload, struct worker *worker)
{
    size_t slot = worker->slot->index;
    if (reload_plan_event(&reload->plan, slot, RELOAD_EV_READY) != RELOAD_HOLDING)
        return;
    reload->held_since_ms[slot] = clock_mono_ms();
    tell(reload, slot, "the new process is ready");
    // Timers of libuv count from the loop's time, which may lag: look until it is over.
    uv_timer_start(&reload->timer, on_held,
                   (uint64_t)spec_config(reload->spec)->reload.min_ready_ms, 5);
}

static void incoming_changed(struct reload *reload, struct worker *worker)
{
    if (worker->state == WORKER_ONLINE) {
        hold(reload, worker);
    } else if (worker->state == WORKER_STOPPED || worker->state == WORKER_ERRORED) {
        lose(reload, worker);
        worker->slot->incoming = NULL;
        worker_free(worker);
        advance(reload);
    }
}

static void outgoing_changed(struct reload *reload, struct worker *worker)
{
    if (worker_state_alive(worker->state))
        return;
    if (worker->state == WORKER_WAITING) {
        worker_stop(worker, "replaced");
        return;
    }
    reload_plan_event(&reload->plan, worker->slot->index, RELOAD_EV_SWITCHED);
    reload_plan_event(&reload->plan, worker->slot->index, RELOAD_EV_DRAINED);
    reload_plan_event(&reload->plan, worker->slot->index, RELOAD_EV_GONE);
    tell_done(reload, worker->slot->index);
    worker->slot->outgoing = NULL;
    worker_free(worker);
    advance(reload);
}

static void restarted_changed(struct reload *reload, struct worker *worker)
{
    if (worker->state == WORKER_ONLINE) {
        hold(reload, worker);
    } else if (worker->state == WORKER_WAITING || worker->state == WORKER_ERRORED ||
               (worker->state == WORKER_STOPPED && !worker->again_wanted)) {
        lose(reload, worker);
        advance(reload);
    }
}

void reload_worker_changed(struct reload *reload, struct worker *worker)
{
    if (worker == worker->slot->incoming)
        incoming_changed(reload, worker);
    else if (worker == worker->slot->outgoing)
        outgoing_changed(reload, worker);
    else if (!reload->rolling)
        restarted_changed(reload, worker);
}

static int check_free(const struct app *app, struct err *err)
{
    if (app->reload)
        return err_set(err, "%s: a reload is already under way", app->name);
    if (app_is_shrinking(app))
        return err_set(err, "%s: it is being scaled down", app->name);
    return 0;
}

static void begin(struct reload *reload, size_t slots)
{
    log_info("%s: reload of %zu %s", reload->app->name, slots, slots == 1 ? "slot" : "slots");
    note(reload, "begin", slots);
    advance(reload);
}

int reload_start(struct app *app, struct spec *spec, struct operation *operation, struct err *err)
{
    if (check_free(app, err) == -1)
        return -1;
    struct reload *reload = reload_new(app, spec, operation);
    if (operation)
        operation_expect_one(operation);
    begin(reload, app->slot_count);
    return 0;
}

int reload_start_slot(struct slot *slot, enum restart_reason as, struct err *err)
{
    struct app *app = slot->current->app;
    if (check_free(app, err) == -1)
        return -1;
    struct reload *reload = reload_new(app, slot->current->spec, NULL);
    reload->single = true;
    reload->as = as;
    for (size_t i = 0; i < reload->plan.count; i++) {
        if (i != slot->index)
            reload->plan.steps[i] = RELOAD_DONE;
    }
    begin(reload, 1);
    return 0;
}

void reload_cancel(struct reload *reload)
{
    if (!reload->plan.failed)
        snprintf(reload->why, sizeof reload->why, "%s: stopped during the reload",
                 reload->app->name);
    reload->plan.failed = true;
    reload->cancelled = true;
    advance(reload);
}
