// Slots and their workers. An app follows its spec: how many slots, what runs in them. How a new
// spec gets in without losing a request is reload.c's.

#include "app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "daemon.h"
#include "endpoints.h"
#include "events.h"
#include "listeners.h"
#include "operation.h"
#include "reload.h"
#include "retirement.h"
#include "slot_sockets.h"

size_t app_wanted_slots(const struct spec *spec)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    return (size_t)app_config_instances(spec_config(spec)->instances, cpus > 0 ? (int)cpus : 1);
}

static struct slot *slot_new(struct app *app, unsigned index)
{
    struct slot *slot = mem_zalloc(1, sizeof *slot);
    slot->index = index;
    slot->id = app->daemon->next_id++;
    slot->created_wall_ms = clock_wall_ms();
    slot->current = worker_new(app, slot, app->spec);
    return slot;
}

static void slot_free(struct slot *slot)
{
    if (slot->current)
        worker_free(slot->current);
    if (slot->incoming)
        worker_free(slot->incoming);
    if (slot->outgoing)
        worker_free(slot->outgoing);
    exit_history_clear(&slot->exits);
    free(slot->sockets);
    free(slot);
}

static void add_slots(struct app *app, size_t count)
{
    app->slots = mem_realloc(app->slots, count * sizeof(struct slot *));
    while (app->slot_count < count) {
        app->slots[app->slot_count] = slot_new(app, (unsigned)app->slot_count);
        app->slot_count++;
    }
}

struct app *app_new(struct daemon *daemon, struct spec *spec, const char *file)
{
    struct app *app = mem_zalloc(1, sizeof *app);
    app->daemon = daemon;
    app->name = mem_strdup(spec_name(spec));
    app->file = mem_strdup(file);
    app->spec = spec_ref(spec);
    add_slots(app, app_wanted_slots(spec));
    return app;
}

void app_free(struct app *app)
{
    for (size_t i = 0; i < app->slot_count; i++)
        slot_free(app->slots[i]);
    free(app->slots);
    spec_unref(app->spec);
    free(app->name);
    free(app->file);
    free(app);
}

bool app_is_gateway(const struct app *app)
{
    return spec_gateway(app->spec) != NULL;
}

bool app_can_roll(const struct app *app)
{
    return app_is_gateway(app) || spec_config(app->spec)->port == APP_PORT_AUTO;
}

void app_each_worker(struct app *app, void (*visit)(struct worker *worker, void *context),
                     void *context)
{
    for (size_t i = 0; i < app->slot_count; i++) {
        struct slot *slot = app->slots[i];
        struct worker *workers[] = {slot->current, slot->incoming, slot->outgoing};
        for (size_t k = 0; k < sizeof workers / sizeof *workers; k++) {
            if (workers[k])
                visit(workers[k], context);
        }
    }
}

void app_start_slot(struct slot *slot)
{
    if (!slot->retiring)
        worker_start(slot->current);
}

void app_count_restart(struct slot *slot, enum restart_reason reason)
{
    slot->restarts++;
    slot->restarts_by[reason]++;
}

void app_start(struct app *app)
{
    for (size_t i = 0; i < app->slot_count; i++)
        app_start_slot(app->slots[i]);
}

void app_stop(struct app *app)
{
    if (app->reload)
        reload_cancel(app->reload);
    for (size_t i = 0; i < app->slot_count; i++)
        worker_stop(app->slots[i]->current, "stopped by command");
}

static void give_spec(struct worker *worker, struct spec *spec)
{
    spec_ref(spec);
    spec_unref(worker->spec);
    worker->spec = spec;
}

void app_restart(struct app *app)
{
    for (size_t i = 0; i < app->slot_count; i++) {
        if (app->slots[i]->retiring)
            continue;
        give_spec(app->slots[i]->current, app->spec);
        worker_restart(app->slots[i]->current, RESTART_MANUAL);
    }
}

void app_set_spec(struct app *app, struct spec *spec)
{
    spec_ref(spec);
    spec_unref(app->spec);
    app->spec = spec;
    for (size_t i = 0; i < app->slot_count; i++) {
        if (!app->slots[i]->current->process)
            give_spec(app->slots[i]->current, spec);
    }
}

// --- scaling ------------------------------------------------------------------------------------

bool app_is_shrinking(const struct app *app)
{
    return app->slot_count > 0 && app->slots[app->slot_count - 1]->retiring;
}

static void retire_slots(struct app *app, size_t keep)
{
    if (app_is_gateway(app))
        slot_sockets_steer(app, keep);
    for (size_t i = keep; i < app->slot_count; i++) {
        app->slots[i]->retiring = true;
        if (worker_state_alive(app->slots[i]->current->state))
            retirement_start(app->slots[i]->current, NULL);
        else
            worker_stop(app->slots[i]->current, "scaled down");
    }
    app->daemon->changed = true;
}

int app_scale(struct app *app, size_t count, struct err *err)
{
    size_t old = app->slot_count;
    if (app->reload)
        return err_set(err, "%s: a reload is under way", app->name);
    if (app_is_shrinking(app))
        return err_set(err, "%s: it is being scaled down", app->name);
    if (spec_config(app->spec)->port > 0 && count > 1)
        return err_set(err, "%s: %zu processes cannot listen on one port; use \"port\": \"auto\"",
                       app->name, count);
    log_info("%s: scaled from %zu to %zu", app->name, old, count);
    events_note_app(app, "app", "scale", "from %zu to %zu", old, count);
    if (count < old) {
        retire_slots(app, count);
        return 0;
    }
    add_slots(app, count);
    for (size_t i = old; i < count; i++)
        app_start_slot(app->slots[i]);
    return 0;
}

void app_resize_stopped(struct app *app, size_t count)
{
    while (app->slot_count > count)
        slot_free(app->slots[--app->slot_count]);
    add_slots(app, count);
}

// Somebody accepts what waits in the queues of slots that go.
static bool any_accepts(const struct app *app)
{
    for (size_t i = 0; i < app->slot_count; i++) {
        if (app->slots[i]->current->state == WORKER_ONLINE)
            return true;
    }
    return false;
}

static bool slot_is_gone(const struct app *app, const struct slot *slot)
{
    if (worker_state_alive(slot->current->state) || slot->current->process)
        return false;
    for (size_t i = 0; any_accepts(app) && i < slot->socket_count; i++) {
        if (slot_queue_waiting(slot->sockets[i].fd))
            return false;
    }
    return true;
}

void app_remove_retired(struct app *app)
{
    bool removed = false;
    while (app->slot_count > 0) {
        struct slot *last = app->slots[app->slot_count - 1];
        if (!last->retiring || !slot_is_gone(app, last))
            break;
        slot_sockets_close(app, last);
        slot_free(last);
        app->slot_count--;
        removed = true;
    }
    if (removed && app_is_gateway(app) && !app_is_shrinking(app))
        slot_sockets_unsteer(app);
    if (removed)
        app->daemon->changed = true;
}

// --- changes ------------------------------------------------------------------------------------

static void look_unsettled(struct worker *worker, void *context)
{
    bool *unsettled = context;
    *unsettled = *unsettled || worker->process || worker_state_alive(worker->state) ||
                 worker->state == WORKER_WAITING;
}

bool app_is_settled(struct app *app)
{
    bool unsettled = false;
    app_each_worker(app, look_unsettled, &unsettled);
    return !unsettled;
}

static void drop_leftover(struct worker **worker)
{
    if (!*worker || (*worker)->process || worker_state_alive((*worker)->state))
        return;
    worker_free(*worker);
    *worker = NULL;
}

void app_sweep(struct app *app)
{
    // Of a reload whose supervisor died.
    for (size_t i = 0; !app->reload && i < app->slot_count; i++) {
        drop_leftover(&app->slots[i]->incoming);
        drop_leftover(&app->slots[i]->outgoing);
    }
    app_remove_retired(app);
    if (!app_is_gateway(app) || app->reload)
        return;
    bool settled = app_is_settled(app); // then it lets nobody wait
    for (size_t i = 0; i < app->slot_count; i++) {
        if (settled)
            slot_sockets_close(app, app->slots[i]);
        else
            slot_sockets_drop_others(app, app->slots[i]);
    }
}

void app_worker_changed(struct worker *worker)
{
    struct app *app = worker->app;
    struct daemon *daemon = app->daemon;

    endpoints_push(daemon->endpoints);
    if (app->reload)
        reload_worker_changed(app->reload, worker);
    // From here on the worker may be gone.
    daemon->changed = true;
    operations_check(daemon->operations);
}
