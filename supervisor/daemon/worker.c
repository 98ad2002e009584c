// Acts out worker_fsm: spawns, arms timers, sends signals, and turns what happens to the process
// into events. It decides nothing: the table and restart_policy do.
//
// One setter changes the state (enter); whoever is interested is told there.

#include "worker.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon.h"
#include "endpoints.h"
#include "events.h"
#include "leftovers.h"
#include "liveness.h"
#include "readiness.h"
#include "retirement.h"
#include "snapshot.h"
#include "spawn.h"
#include "worker_exit.h"

static void handle(struct worker *worker, enum worker_event event);

static void set_reason(struct worker *worker, const char *format, ...) GW_PRINTF(2, 3);

static void set_reason(struct worker *worker, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(worker->reason, sizeof worker->reason, format, args);
    va_end(args);
}

// What happened first led to all that follows.
static void note_restart_reason(struct worker *worker, enum restart_reason reason)
{
    if (worker->restart_reason == RESTART_NO_REASON)
        worker->restart_reason = reason;
}

// --- timers -------------------------------------------------------------------------------------

static void on_ready_due(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    char waited[32];
    clock_format_duration((uint64_t)spec_config(worker->spec)->ready.timeout_ms, waited,
                          sizeof waited);
    set_reason(worker, "not ready after %s", waited);
    note_restart_reason(worker, RESTART_NOT_READY);
    handle(worker, WORKER_EV_NOT_READY);
}

static void on_kill_due(uv_timer_t *timer)
{
    handle(timer->data, WORKER_EV_KILL_DUE);
}

static void on_retry_due(uv_timer_t *timer)
{
    handle(timer->data, WORKER_EV_RETRY_DUE);
}

static void stop_looking(struct worker *worker)
{
    liveness_stop(worker->liveness);
    worker->liveness = NULL;
}

static void disarm(struct worker *worker)
{
    uv_timer_stop(&worker->ready_timer);
    uv_timer_stop(&worker->kill_timer);
    uv_timer_stop(&worker->retry_timer);
    readiness_cancel(worker->readiness);
    worker->readiness = NULL;
    stop_looking(worker);
}

void worker_wait(struct worker *worker, uint64_t due_mono_ms)
{
    uint64_t now = clock_mono_ms();
    worker->retry_mono_ms = due_mono_ms;
    uv_timer_start(&worker->retry_timer, on_retry_due, due_mono_ms > now ? due_mono_ms - now : 0,
                   0);
}

// --- exits --------------------------------------------------------------------------------------

struct process_tree worker_tree(const struct worker *worker)
{
    return (struct process_tree){.leader = {worker->pid, worker->start_ticks},
                                 .spawn_id = worker->spawn_id};
}

static void kill_tree(const struct worker *worker)
{
    struct process_tree tree = worker_tree(worker);
    process_tree_kill(&tree);
}

static enum worker_event judge(struct worker *worker)
{
    if (worker->start_failed)
        return worker->again_wanted || worker->stop_wanted ? WORKER_EV_LEFT_STOP
                                                           : WORKER_EV_LEFT_GIVE_UP;
    return worker_exit_judge(worker, worker->end_status,
                             worker->ended_mono_ms - worker->started_mono_ms);
}

// Nothing of it is left: only now is its port free for a successor.
static void on_all_gone(void *context)
{
    struct worker *worker = context;
    daemon_worker_gone(worker);
    worker->pid = 0;
    handle(worker, judge(worker));
}

static void on_process_exit(void *context, int status)
{
    struct worker *worker = context;
    struct daemon *daemon = worker->app->daemon;
    struct process_tree tree = worker_tree(worker);
    bool left_some = leftovers_possible(worker->process, daemon->keeper);

    worker->ended_mono_ms = clock_mono_ms();
    worker->end_status = status;
    worker->start_failed = process_start_error(worker->process) != NULL;
    worker_exit_note(worker, status, worker->ended_mono_ms - worker->started_mono_ms);
    if (worker->start_failed)
        log_error("%s: cannot be started: %s", worker->label, worker->reason);
    else
        events_note_worker(worker, "process", "exit", "%s", worker->reason);
    note_restart_reason(worker, restart_reason_of_exit(status));
    worker->process = NULL;
    worker->online_wall_ms = 0;
    disarm(worker); // a probe could take what it left behind for it
    if (!left_some || leftovers_end(daemon->loop, &tree, worker->label, on_all_gone, worker)) {
        on_all_gone(worker);
    } else if (worker->serving) {
        worker->serving = false;
        endpoints_push(daemon->endpoints);
    }
}

// --- the running process ------------------------------------------------------------------------

static void fail_start(struct worker *worker, const char *reason)
{
    set_reason(worker, "%s", reason);
    log_error("%s: cannot be started: %s", worker->label, reason);
    handle(worker, WORKER_EV_NOT_STARTED);
}

// Before the fork: whatever happens from there on, the keeper has the streams, by which the process
// is found again.
static void on_opened(void *context, const struct process *process)
{
    snapshot_keep_streams(context, process);
}

static void on_executed(void *context)
{
    struct worker *worker = context;
    if (worker->readiness)
        readiness_executed(worker->readiness);
}

static void on_line(void *context, const char *line, size_t length)
{
    struct worker *worker = context;
    if (worker->readiness)
        readiness_line(worker->readiness, line, length);
}

static void on_lost(void *context, uint64_t lines)
{
    struct worker *worker = context;
    worker->slot->log_lines_lost += lines;
    daemon_change_soon(worker->app->daemon);
}

static void on_node_ready(void *context)
{
    struct worker *worker = context;
    if (worker->readiness)
        readiness_node_ready(worker->readiness);
}

static const struct process_events events = {on_opened, on_executed,   on_line,
                                             on_lost,   on_node_ready, on_process_exit};

static void act_spawn(struct worker *worker)
{
    const struct app_config *config = spec_config(worker->spec);
    struct err err;

    disarm(worker);
    if (worker->started_mono_ms > 0)
        app_count_restart(worker->slot, worker->restart_reason);
    worker->restart_reason = RESTART_NO_REASON;
    worker->started_mono_ms = clock_mono_ms();
    worker->started_wall_ms = clock_wall_ms();
    worker->was_ready = false;
    worker->stop_wanted = worker->again_wanted = false;
    worker->ready_by = NULL;
    if (spawn_worker(worker, &events, &err) == -1) {
        fail_start(worker, err.text);
        return;
    }
    log_info("%s: pid %d started", worker->label, (int)worker->pid);
    events_note_worker(worker, "process", "start", "pid %d", (int)worker->pid);
    uv_timer_start(&worker->ready_timer, on_ready_due, (uint64_t)config->ready.timeout_ms, 0);
    worker->readiness = readiness_start(worker);
}

static void note_ready(const struct worker *worker)
{
    char took[32];
    clock_format_duration(clock_mono_ms() - worker->started_mono_ms, took, sizeof took);
    events_note_worker(worker, "process", "ready", "after %s (%s)", took, worker->ready_by);
}

static void act_announce(struct worker *worker)
{
    disarm(worker);
    worker->was_ready = true;
    worker->online_wall_ms = clock_wall_ms();
    worker->reason[0] = '\0';
    note_ready(worker);
    worker->serving = !worker->candidate;
    worker->liveness = liveness_start(worker);
}

static void act_terminate(struct worker *worker)
{
    const struct app_config *config = spec_config(worker->spec);
    disarm(worker);
    events_note_worker(worker, "process", "stop", "%s", worker->reason);
    uv_timer_start(&worker->kill_timer, on_kill_due, (uint64_t)config->kill_timeout_ms, 0);
    if (worker->process)
        process_signal(worker->process, config->stop_signal);
}

static void act_kill(struct worker *worker)
{
    log_warn("%s: did not end in time, SIGKILL", worker->label);
    events_note_worker(worker, "process", "kill", "did not end in time");
    if (worker->pid > 0)
        kill_tree(worker);
}

// --- transitions --------------------------------------------------------------------------------

static void act(struct worker *worker, enum worker_action action)
{
    switch (action) {
    case WORKER_ACT_NONE:
    case WORKER_ACT_ARM_RETRY: // worker_exit_judge armed it, with the delay
        break;
    case WORKER_ACT_SPAWN:
        act_spawn(worker);
        break;
    case WORKER_ACT_ANNOUNCE:
        act_announce(worker);
        break;
    case WORKER_ACT_TERMINATE:
        act_terminate(worker);
        break;
    case WORKER_ACT_KILL:
        act_kill(worker);
        break;
    case WORKER_ACT_DISARM:
        disarm(worker);
        break;
    }
}

static void enter(struct worker *worker, enum worker_state next)
{
    enum worker_state from = worker->state;
    worker->state = next;
    if (next != WORKER_ONLINE)
        worker->serving = false;
    log_info("%s: %s -> %s%s%s%s", worker->label, worker_state_name(from), worker_state_name(next),
             *worker->reason ? " (" : "", worker->reason, *worker->reason ? ")" : "");
    if (next == WORKER_ERRORED)
        events_note_worker(worker, "process", "errored", "%s", worker->reason);
}

static void handle(struct worker *worker, enum worker_event event)
{
    struct worker_step step = worker_fsm_step(worker->state, event);

    if (step.next != WORKER_STAY)
        enter(worker, step.next);
    // After act the worker may be in a further state (a spawn that fails at once), which told its
    // own listeners: the outer transition is history then.
    act(worker, step.action);
    if (step.next != WORKER_STAY && worker->state == step.next)
        app_worker_changed(worker);
}

// --- public -------------------------------------------------------------------------------------

static void init_timer(struct worker *worker, uv_timer_t *timer)
{
    uv_timer_init(worker->app->daemon->loop, timer);
    timer->data = worker;
    worker->open_timers++;
}

struct worker *worker_new(struct app *app, struct slot *slot, struct spec *spec)
{
    struct worker *worker = mem_zalloc(1, sizeof *worker);
    worker->app = app;
    worker->slot = slot;
    worker->spec = spec_ref(spec);
    worker->state = WORKER_STOPPED;
    worker->endpoint = WORKER_NO_ENDPOINT;
    worker->column = WORKER_NO_COLUMN;
    worker->exit_code = -1;
    worker->restart_reason = RESTART_NO_REASON;
    snprintf(worker->label, sizeof worker->label, "%.64s#%u", app->name, slot->index);
    init_timer(worker, &worker->ready_timer);
    init_timer(worker, &worker->kill_timer);
    init_timer(worker, &worker->retry_timer);
    return worker;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct worker *worker = handle->data;
    if (--worker->open_timers == 0)
        free(worker);
}

void worker_free(struct worker *worker)
{
    disarm(worker);
    retirement_cancel(worker->retirement);
    spec_unref(worker->spec);
    uv_close((uv_handle_t *)&worker->ready_timer, on_timer_closed);
    uv_close((uv_handle_t *)&worker->kill_timer, on_timer_closed);
    uv_close((uv_handle_t *)&worker->retry_timer, on_timer_closed);
}

void worker_start(struct worker *worker)
{
    if (!worker_state_alive(worker->state) && !worker->process) {
        restart_history_reset(&worker->slot->history);
        worker->started_mono_ms = 0;
        worker->reason[0] = '\0';
        handle(worker, WORKER_EV_START);
    } else if (worker->state == WORKER_STOPPING && worker->stop_wanted) {
        note_restart_reason(worker, RESTART_MANUAL);
        worker->again_wanted = true;
    }
}

void worker_refuse(struct worker *worker, const char *reason)
{
    if (worker_state_alive(worker->state) || worker->state == WORKER_ERRORED)
        return;
    set_reason(worker, "%s", reason);
    log_error("%s: cannot be started: %s", worker->label, reason);
    handle(worker, WORKER_EV_REFUSED);
}

void worker_stop(struct worker *worker, const char *reason)
{
    worker->stop_wanted = true;
    worker->again_wanted = false;
    if (worker->state != WORKER_STOPPED && worker->state != WORKER_STOPPING)
        set_reason(worker, "%s", reason);
    handle(worker, WORKER_EV_STOP);
}

void worker_restart(struct worker *worker, enum restart_reason reason)
{
    static const char *const why[RESTART_REASONS] = {
        [RESTART_MANUAL] = "restarted by command",
        [RESTART_RELOAD] = "reloaded by command",
        [RESTART_MEMORY] = "above its memory cap",
    };
    restart_history_reset(&worker->slot->history);
    if (!worker_state_alive(worker->state)) {
        worker_start(worker);
        return;
    }
    note_restart_reason(worker, reason);
    worker_stop(worker, why[reason]);
    worker->again_wanted = true;
}

static void resume(struct worker *worker)
{
    if (worker->state == WORKER_STARTING) {
        uv_timer_start(&worker->ready_timer, on_ready_due,
                       (uint64_t)spec_config(worker->spec)->ready.timeout_ms, 0);
        worker->readiness = readiness_start(worker);
        readiness_executed(worker->readiness);
    } else if (worker->state == WORKER_STOPPING) {
        // It had its signal; a second one would mean something else to it.
        uv_timer_start(&worker->kill_timer, on_kill_due,
                       (uint64_t)spec_config(worker->spec)->kill_timeout_ms, 0);
    } else if (worker->state == WORKER_ONLINE) {
        worker->serving = true;
        worker->liveness = liveness_start(worker);
    }
}

void worker_adopt(struct worker *worker, const int fds[PROCESS_STREAMS])
{
    static const int none[PROCESS_STREAMS] = {-1, -1, -1};
    uv_loop_t *loop = worker->app->daemon->loop;
    struct process_identity identity = {worker->pid, worker->start_ticks};
    char *out = spawn_log_path(worker, false), *error = spawn_log_path(worker, true);
    struct log_rotate_config rotation = spawn_log_rotation(worker);
    struct log_format format = spawn_log_format(worker);
    struct process_options options = {.label = worker->label,
                                      .out_path = out,
                                      .error_path = error,
                                      .combined_path = spec_config(worker->spec)->log_file,
                                      .rotation = &rotation,
                                      .format = &format};
    struct err err;

    worker->process = process_adopt(loop, identity, fds, &options, &events, worker, &err);
    if (!worker->process) { // it runs on, its output is lost
        log_error("%s: %s", worker->label, err.text);
        worker->process = process_adopt(loop, identity, none, &options, &events, worker, &err);
    }
    free(out);
    free(error);
    log_info("%s: pid %d taken over, %s", worker->label, (int)worker->pid,
             worker_state_name(worker->state));
    resume(worker);
}

void worker_reaped(struct worker *worker, int status)
{
    if (worker->process)
        process_reaped(worker->process, status);
}

void worker_drain(struct worker *worker)
{
    stop_looking(worker);
    set_reason(worker, "replaced");
    handle(worker, WORKER_EV_DRAIN);
}

void worker_kill(struct worker *worker, enum restart_reason as, const char *reason)
{
    if (worker->pid <= 0)
        return;
    log_warn("%s: SIGKILL (%s)", worker->label, reason);
    events_note_worker(worker, "process", "kill", "%s", reason);
    note_restart_reason(worker, as);
    kill_tree(worker);
}

// Another process of the app takes requests.
static bool is_dispensable(const struct worker *worker)
{
    const struct app *app = worker->app;
    for (size_t i = 0; i < app->slot_count; i++) {
        const struct worker *other = app->slots[i]->current;
        if (other != worker && other->serving)
            return true;
    }
    return false;
}

void worker_fail(struct worker *worker, enum restart_reason reason, const char *why)
{
    stop_looking(worker);
    set_reason(worker, "%s", why);
    note_restart_reason(worker, reason);
    log_warn("%s: is to be restarted (%s)", worker->label, why);
    if (worker->serving && is_dispensable(worker))
        retirement_start_failed(worker);
    else
        worker_end_failed(worker);
}

void worker_end_failed(struct worker *worker)
{
    handle(worker, WORKER_EV_FAILED);
}

void worker_ready(struct worker *worker, const char *by)
{
    worker->ready_by = by;
    handle(worker, WORKER_EV_READY);
}

void worker_address(const struct worker *worker, char *out, size_t size)
{
    if (worker->port > 0)
        snprintf(out, size, "127.0.0.1:%d", worker->port);
    else if (size > 0)
        out[0] = '\0';
}
