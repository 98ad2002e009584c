// Reads the snapshot, then makes apps, slots and workers of it.
//
// The invariant: everything that can be wrong with a snapshot is found before anything is made of
// it, sent to the keeper or done to a process.

#include "takeover.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/procinfo.h"
#include "common/proto.h"
#include "daemon.h"
#include "endpoints.h"
#include "keeper_link.h"
#include "readiness.h"
#include "slot_sockets.h"
#include "snapshot.h"

enum { KILL_BATCH = 64 };

// The specs of one document.
struct specs {
    struct spec **list;
    size_t count;
};

struct takeover {
    struct json_object *record; // NULL: nothing was left
    struct specs *origins;
    size_t origin_count;
};

// --- reading ------------------------------------------------------------------------------------

static struct json_object *read_snapshot(int fd, struct err *err)
{
    struct stat stat;
    if (fstat(fd, &stat) == -1) {
        err_set_errno(err, "snapshot");
        return NULL;
    }
    char *text = mem_alloc((size_t)stat.st_size + 1);
    ssize_t length = pread(fd, text, (size_t)stat.st_size, 0);
    struct json_object *record = json_parse_message(text, length > 0 ? (size_t)length : 0, err);
    free(text);
    int64_t version = json_get_int(record, "version", 0);
    if (record && version != SNAPSHOT_VERSION) {
        err_set(err, "snapshot: of version %d, this supervisor reads %d", (int)version,
                SNAPSHOT_VERSION);
        json_object_put(record);
        return NULL;
    }
    return record;
}

static int read_origin(struct json_object *origin, struct specs *specs, struct err *err)
{
    struct config_errors *errors = config_errors_new(SNAPSHOT_NAME);
    struct ecosystem *ecosystem =
        ecosystem_from_document(json_get_object(origin, "document"), errors);
    if (ecosystem)
        specs->list = spec_list(ecosystem, json_get_array(origin, "environment"), &specs->count);
    else
        err_set(err, "%s",
                config_errors_count(errors) ? config_errors_text(errors, 0) : "no document");
    config_errors_free(errors);
    return ecosystem ? 0 : -1;
}

// The spec of an app; NULL: its document does not have it.
static struct spec *find_spec(const struct takeover *takeover, struct json_object *app)
{
    size_t origin = (size_t)json_get_int(app, "origin", -1);
    if (origin >= takeover->origin_count)
        return NULL;
    const struct specs *specs = &takeover->origins[origin];
    for (size_t i = 0; i < specs->count; i++) {
        if (strcmp(spec_name(specs->list[i]), json_get_string(app, "name", "")) == 0)
            return specs->list[i];
    }
    return NULL;
}

static int read_origins(struct takeover *takeover, struct err *err)
{
    struct json_object *list = json_get_array(takeover->record, "origins");
    takeover->origin_count = list ? json_object_array_length(list) : 0;
    takeover->origins = mem_zalloc(takeover->origin_count + 1, sizeof *takeover->origins);
    for (size_t i = 0; i < takeover->origin_count; i++) {
        if (read_origin(json_object_array_get_idx(list, i), &takeover->origins[i], err) == -1)
            return -1;
    }
    return 0;
}

static int check_apps(const struct takeover *takeover, struct err *err)
{
    struct json_object *apps = json_get_array(takeover->record, "apps");
    for (size_t i = 0; apps && i < json_object_array_length(apps); i++) {
        struct json_object *app = json_object_array_get_idx(apps, i);
        if (!find_spec(takeover, app))
            return err_set(err, "snapshot: %s is not in its document",
                           json_get_string(app, "name", "an app without a name"));
    }
    return 0;
}

struct takeover *takeover_read(struct keeper_link *keeper, struct err *err)
{
    struct takeover *takeover = mem_zalloc(1, sizeof *takeover);
    int fd = keeper_link_take(keeper, SNAPSHOT_NAME);
    if (fd == -1)
        return takeover;
    takeover->record = read_snapshot(fd, err);
    close(fd);
    if (takeover->record && read_origins(takeover, err) == 0 && check_apps(takeover, err) == 0)
        return takeover;
    takeover_free(takeover);
    return NULL;
}

void takeover_free(struct takeover *takeover)
{
    if (!takeover)
        return;
    for (size_t i = 0; i < takeover->origin_count; i++) {
        for (size_t k = 0; k < takeover->origins[i].count; k++)
            spec_unref(takeover->origins[i].list[k]);
        free(takeover->origins[i].list);
    }
    free(takeover->origins);
    json_object_put(takeover->record);
    free(takeover);
}

// --- making -------------------------------------------------------------------------------------

static void fill_worker(struct worker *worker, struct json_object *record)
{
    struct daemon *daemon = worker->app->daemon;
    worker->state = (enum worker_state)json_get_int(record, "state", WORKER_STOPPED);
    worker->pid = (pid_t)json_get_int(record, "pid", 0);
    worker->start_ticks = (uint64_t)json_get_int(record, "start_ticks", 0);
    worker->spawn_id = (uint64_t)json_get_int(record, "spawn_id", 0);
    worker->port = (int)json_get_int(record, "port", 0);
    worker->endpoint = (int)json_get_int(record, "endpoint", WORKER_NO_ENDPOINT);
    worker->column = (int)json_get_int(record, "column", WORKER_NO_COLUMN);
    worker->started_mono_ms = (uint64_t)json_get_int(record, "started", 0);
    worker->retry_mono_ms = (uint64_t)json_get_int(record, "retry", 0);
    worker->started_wall_ms = (uint64_t)json_get_int(record, "started_wall", 0);
    worker->online_wall_ms = (uint64_t)json_get_int(record, "online", 0);
    worker->was_ready = worker->online_wall_ms > 0;
    worker->exit_code = (int)json_get_int(record, "exit_code", -1);
    worker->exit_signal = (int)json_get_int(record, "exit_signal", 0);
    worker->ready_by = readiness_proof(json_get_string(record, "ready_by", ""));
    worker->stop_wanted = json_get_bool(record, "stop_wanted", false);
    worker->again_wanted = json_get_bool(record, "again_wanted", false);
    worker->restart_reason = restart_reason_find(json_get_string(record, "restart_reason", ""));
    snprintf(worker->reason, sizeof worker->reason, "%s", json_get_string(record, "reason", ""));
    endpoints_reserve_index(daemon->endpoints, worker->endpoint);
    if (worker->column >= 0 && worker->column < STATE_COLUMNS)
        daemon->columns_used[worker->column] = true;
}

static void restore_worker(struct worker *worker, struct json_object *record)
{
    int fds[PROCESS_STREAMS];

    fill_worker(worker, record);
    if (worker->pid > 0) {
        snapshot_take_streams(worker, fds);
        worker_adopt(worker, fds);
        snapshot_keep_streams(worker, worker->process);
    } else if (worker->state == WORKER_WAITING) {
        worker_wait(worker, worker->retry_mono_ms);
    } else if (worker_state_alive(worker->state)) {
        worker->state = WORKER_STOPPED;
        worker_start(worker);
    }
}

static void read_restarts(struct slot *slot, struct json_object *record)
{
    for (int i = 0; i < RESTART_REASONS; i++)
        slot->restarts_by[i] =
            (unsigned)json_get_int(record, restart_reason_name((enum restart_reason)i), 0);
}

static void read_history(struct restart_history *history, struct json_object *record)
{
    struct json_object *recent = json_get_array(record, "recent_restarts");
    size_t count = recent ? json_object_array_length(recent) : 0;
    for (size_t i = 0; i < count; i++)
        restart_history_note(history,
                             (uint64_t)json_object_get_int64(json_object_array_get_idx(recent, i)));
    history->unstable = (int)json_get_int(record, "unstable", 0);
    history->storm = json_get_bool(record, "storm", false);
}

static void restore_slot(struct app *app, struct slot *slot, struct json_object *record)
{
    slot->id = (unsigned)json_get_int(record, "id", slot->id);
    slot->restarts = (unsigned)json_get_int(record, "restarts", 0);
    read_restarts(slot, json_get_object(record, "restarts_by"));
    slot->log_lines_lost = (uint64_t)json_get_int(record, "log_lines_lost", 0);
    slot->created_wall_ms = (uint64_t)json_get_int(record, "created", 0);
    read_history(&slot->history, record);
    slot->retiring = json_get_bool(record, "retiring", false);
    exit_history_read(&slot->exits, json_get_array(record, "exits"));
    for (size_t role = 0; role < SNAPSHOT_ROLES; role++) {
        struct json_object *of_worker = json_get_object(record, snapshot_roles[role]);
        struct worker **worker = snapshot_worker(slot, role);
        if (!of_worker || (role > 0 && json_get_int(of_worker, "pid", 0) == 0))
            continue;
        if (!*worker)
            *worker = worker_new(app, slot, app->spec);
        restore_worker(*worker, of_worker);
        // What these were part of has ended with its supervisor.
        if (role > 0)
            worker_stop(*worker, "its reload was interrupted");
        else if (slot->retiring)
            worker_stop(*worker, "scaled down");
    }
}

// Whether nothing ran in the slot or was to.
static bool is_settled_record(struct json_object *slot)
{
    struct json_object *worker = json_get_object(slot, snapshot_roles[0]);
    enum worker_state state = (enum worker_state)json_get_int(worker, "state", WORKER_STOPPED);
    return !worker_state_alive(state) && state != WORKER_WAITING;
}

static void restore_app(struct daemon *daemon, struct json_object *record, struct spec *spec)
{
    struct json_object *slots = json_get_array(record, "slots");
    struct app *app = app_new(daemon, spec, json_get_string(record, "file", ""));
    struct err err;
    daemon_add_app(daemon, app);
    app_resize_stopped(app, slots ? json_object_array_length(slots) : 0);
    if (daemon_open_sidecar(daemon, spec, &err) == -1)
        log_error("%s: %s", app->name, err.text);
    for (size_t i = 0; i < app->slot_count; i++) {
        struct json_object *slot = json_object_array_get_idx(slots, i);
        if (app_is_gateway(app) && !is_settled_record(slot) &&
            slot_sockets_open(app, app->slots[i], spec_gateway(spec), &err) == -1)
            log_error("%s: %s", app->name, err.text);
        restore_slot(app, app->slots[i], slot);
    }
}

static void kill_spawned(const char *id)
{
    pid_t pids[KILL_BATCH];
    size_t count = procinfo_with_variable(ENV_SPAWN, id, pids, KILL_BATCH);
    for (size_t i = 0; i < count && i < KILL_BATCH; i++) {
        log_warn("pid %d, which no snapshot names, is killed", (int)pids[i]);
        kill(pids[i], SIGKILL);
    }
}

// Streams of processes that are in no snapshot: their supervisor died as it started them, before
// anybody was told. They end; the command that wanted them has failed.
static void end_unknown(struct keeper_link *keeper)
{
    size_t cursor = 0;
    const char *name;
    char id[17];
    while ((name = keeper_link_next(keeper, SNAPSHOT_STREAM_PREFIX, &cursor)) != NULL) {
        if (sscanf(name, SNAPSHOT_STREAM_PREFIX "%16[0-9a-f].out", id) == 1 && strstr(name, ".out"))
            kill_spawned(id);
    }
    keeper_link_discard_rest(keeper);
}

static void restore_apps(const struct takeover *takeover, struct daemon *daemon)
{
    struct json_object *apps = json_get_array(takeover->record, "apps");
    for (size_t i = 0; apps && i < json_object_array_length(apps); i++) {
        struct json_object *app = json_object_array_get_idx(apps, i);
        restore_app(daemon, app, find_spec(takeover, app));
    }
}

void takeover_act(const struct takeover *takeover, struct daemon *daemon)
{
    struct json_object *record = takeover->record;
    if (record) {
        endpoints_resume(daemon->endpoints, (uint64_t)json_get_int(record, "generation", 0));
        restore_apps(takeover, daemon);
        daemon->next_id = (unsigned)json_get_int(record, "next_id", daemon->next_id);
    }
    end_unknown(daemon->keeper);
}
