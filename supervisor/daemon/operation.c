// Expectations are kept by app name and slot number, so that what they wait for may vanish.

#include "operation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "control.h"
#include "daemon.h"
#include "endpoints.h"

enum {
    UNSTABLE_EXITS = 3, // then a start is told as failed, while the restarts go on
    REACHABLE_MS = 1000
};

enum goal { GOAL_RUNNING, GOAL_STOPPED, GOAL_GONE };

struct expectation {
    char *app;
    size_t slot;
    enum goal goal;
    bool met;
};

struct operation {
    struct operations *all;
    struct operation *next;
    struct control_connection *connection; // NULL: gone
    int64_t id;
    struct expectation *expectations;
    size_t count;
    size_t others; // reloads under way
    bool committed;
    char *error; // NULL: none
};

struct operations {
    struct daemon *daemon;
    struct operation *first;
    bool checking;
    bool again;
};

struct operations *operations_new(struct daemon *daemon)
{
    struct operations *operations = mem_zalloc(1, sizeof *operations);
    operations->daemon = daemon;
    return operations;
}

static void operation_free(struct operation *operation)
{
    for (size_t i = 0; i < operation->count; i++)
        free(operation->expectations[i].app);
    free(operation->expectations);
    free(operation->error);
    free(operation);
}

void operations_free(struct operations *operations)
{
    while (operations->first) {
        struct operation *operation = operations->first;
        operations->first = operation->next;
        operation_free(operation);
    }
    free(operations);
}

struct operation *operation_begin(struct control_connection *connection, int64_t id)
{
    struct operations *all = control_daemon(connection)->operations;
    struct operation *operation = mem_zalloc(1, sizeof *operation);
    operation->all = all;
    operation->connection = connection;
    operation->id = id;
    operation->next = all->first;
    all->first = operation;
    return operation;
}

static void expect(struct operation *operation, const char *app, size_t slot, enum goal goal)
{
    for (size_t i = 0; i < operation->count; i++) {
        const struct expectation *known = &operation->expectations[i];
        if (known->slot == slot && known->goal == goal && strcmp(known->app, app) == 0)
            return;
    }
    operation->expectations =
        mem_realloc(operation->expectations, (operation->count + 1) * sizeof(struct expectation));
    operation->expectations[operation->count++] =
        (struct expectation){mem_strdup(app), slot, goal, false};
}

static void expect_slots(struct operation *operation, const struct app *app,
                         const struct slot *slot, enum goal goal)
{
    for (size_t i = 0; i < app->slot_count; i++) {
        if (app->slots[i] == slot || (!slot && !app->slots[i]->retiring))
            expect(operation, app->name, i, goal);
    }
}

void operation_expect_running(struct operation *operation, const struct app *app,
                              const struct slot *slot)
{
    expect_slots(operation, app, slot, GOAL_RUNNING);
}

void operation_expect_stopped(struct operation *operation, const struct app *app,
                              const struct slot *slot)
{
    expect_slots(operation, app, slot, GOAL_STOPPED);
}

void operation_expect_gone(struct operation *operation, const struct app *app, size_t first)
{
    for (size_t i = first; i < app->slot_count; i++)
        expect(operation, app->name, i, GOAL_GONE);
}

void operation_scale(struct operation *operation, struct app *app, size_t count)
{
    size_t old = app->slot_count;
    struct err err;
    if (app_scale(app, count, &err) == -1) {
        operation_fail(operation, "%s", err.text);
        return;
    }
    for (size_t i = count; i < old; i++)
        expect(operation, app->name, i, GOAL_GONE);
    for (size_t i = old; i < count; i++)
        expect(operation, app->name, i, GOAL_RUNNING);
}

void operation_follow_instances(struct operation *operation, struct app *app,
                                const struct spec *before)
{
    size_t wanted = app_wanted_slots(app->spec);
    if (wanted != app_wanted_slots(before) && wanted != app->slot_count)
        operation_scale(operation, app, wanted);
}

void operation_expect_one(struct operation *operation)
{
    operation->others++;
}

void operation_done(struct operation *operation)
{
    operation->others--;
    operations_check(operation->all);
}

void operation_progress(struct operation *operation, const char *format, ...)
{
    char text[ERR_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (operation->connection)
        control_progress(operation->connection, operation->id, text);
}

void operation_fail(struct operation *operation, const char *format, ...)
{
    char text[ERR_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *joined = operation->error ? mem_printf("%s\n%s", operation->error, text) : NULL;
    free(operation->error);
    operation->error = joined ? joined : mem_strdup(text);
}

// --- looking whether a goal is reached ----------------------------------------------------------

// Requests reach it: every gateway worker knows of it, or has had the time to.
static bool is_reachable(const struct operation *operation, const struct worker *worker)
{
    const struct endpoints *endpoints = operation->all->daemon->endpoints;
    return worker->endpoint == WORKER_NO_ENDPOINT ||
           endpoints_acknowledged(endpoints, endpoints_generation(endpoints)) ||
           clock_wall_ms() - worker->online_wall_ms > REACHABLE_MS;
}

static bool settled_running(struct operation *operation, const struct worker *worker)
{
    switch (worker->state) {
    case WORKER_ONLINE:
        if (!is_reachable(operation, worker))
            return false;
        operation_progress(operation, "%s: online, pid %d (ready by %s)", worker->label,
                           (int)worker->pid, worker->ready_by);
        return true;
    case WORKER_STOPPED:
        if (worker->exit_code == 0)
            operation_progress(operation, "%s: ended (%s)", worker->label, worker->reason);
        else
            operation_fail(operation, "%s: %s", worker->label, worker->reason);
        return true;
    case WORKER_ERRORED:
        operation_fail(operation, "%s: %s", worker->label, worker->reason);
        return true;
    case WORKER_WAITING:
        if (worker->slot->history.unstable < UNSTABLE_EXITS)
            return false;
        operation_fail(operation, "%s: %s; it is still being restarted", worker->label,
                       worker->reason);
        return true;
    case WORKER_STAY:
    case WORKER_STARTING:
    case WORKER_DRAINING:
    case WORKER_STOPPING:
    case WORKER_STATES:
        return false;
    }
    return false;
}

static bool settled_stopped(struct operation *operation, const struct worker *worker)
{
    bool alive = worker_state_alive(worker->state) || worker->state == WORKER_WAITING;
    // At the end of everything the gateway goes first, and the apps' turn comes yet.
    bool comes = operation->all->daemon->ending || worker->stop_wanted;
    if (alive && comes && !worker->again_wanted)
        return false;
    if (alive)
        operation_fail(operation, "%s: somebody started it again", worker->label);
    else if (worker->reason[0])
        operation_progress(operation, "%s: stopped", worker->label);
    return true;
}

static bool is_met(struct operation *operation, const struct expectation *expectation)
{
    struct app *app = daemon_find_app(operation->all->daemon, expectation->app);
    if (!app || expectation->slot >= app->slot_count) {
        if (expectation->goal == GOAL_GONE)
            operation_progress(operation, "%s#%zu: gone", expectation->app, expectation->slot);
        return true;
    }
    const struct worker *worker = app->slots[expectation->slot]->current;
    switch (expectation->goal) {
    case GOAL_RUNNING:
        return settled_running(operation, worker);
    case GOAL_STOPPED:
        return settled_stopped(operation, worker);
    case GOAL_GONE:
        return false;
    }
    return false;
}

static bool all_met(struct operation *operation)
{
    bool met = operation->others == 0;
    if (!operation->committed)
        return false;
    for (size_t i = 0; i < operation->count; i++) {
        struct expectation *expectation = &operation->expectations[i];
        if (!expectation->met)
            expectation->met = is_met(operation, expectation);
        met = met && expectation->met;
    }
    return met;
}

static void answer(struct operation *operation)
{
    if (!operation->connection)
        return;
    if (operation->error)
        control_refuse(operation->connection, operation->id, operation->error);
    else
        control_answer(operation->connection, operation->id, NULL);
}

static void check_once(struct operations *operations)
{
    struct operation **at = &operations->first;
    while (*at) {
        struct operation *operation = *at;
        if (!all_met(operation)) {
            at = &operation->next;
            continue;
        }
        *at = operation->next;
        answer(operation);
        operation_free(operation);
    }
}

void operations_check(struct operations *operations)
{
    operations->again = true;
    if (operations->checking)
        return;
    operations->checking = true;
    while (operations->again) {
        operations->again = false;
        check_once(operations);
    }
    operations->checking = false;
}

void operation_commit(struct operation *operation)
{
    operation->committed = true;
    operations_check(operation->all);
}

bool operations_for(const struct operations *operations,
                    const struct control_connection *connection)
{
    for (const struct operation *o = operations->first; o; o = o->next) {
        if (o->connection == connection)
            return true;
    }
    return false;
}

bool operations_any(const struct operations *operations)
{
    return operations->first != NULL;
}

void operations_forget(struct operations *operations, struct control_connection *connection)
{
    for (struct operation *o = operations->first; o; o = o->next) {
        if (o->connection == connection)
            o->connection = NULL;
    }
}
