// Writes and reads the snapshot: JSON, because it is small and has to be read by other versions.

#include "snapshot.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/proto.h"
#include "endpoints.h"
#include "keeper_link.h"
#include "listing.h"
#include "common/procinfo.h"
#include "readiness.h"
#include "slot_sockets.h"

#define SNAPSHOT_NAME "snapshot"
#define STREAM_PREFIX "stream."

enum { KILL_BATCH = 64 };

static const char *const roles[] = {"current", "incoming", "outgoing"};

static struct worker **worker_of_role(struct slot *slot, size_t role)
{
    struct worker **workers[] = {&slot->current, &slot->incoming, &slot->outgoing};
    return workers[role];
}

// --- writing ------------------------------------------------------------------------------------

static void put(struct json_object *object, const char *key, int64_t number)
{
    json_object_object_add(object, key, json_object_new_int64(number));
}

static void put_bool(struct json_object *object, const char *key, bool value)
{
    json_object_object_add(object, key, json_object_new_boolean(value));
}

static struct json_object *worker_record(const struct worker *worker)
{
    struct json_object *record = json_object_new_object();
    put(record, "state", worker->state);
    put(record, "pid", worker->pid);
    put(record, "start_ticks", (int64_t)worker->start_ticks);
    put(record, "spawn_id", (int64_t)worker->spawn_id);
    put(record, "port", worker->port);
    put(record, "endpoint", worker->endpoint);
    put(record, "column", worker->column);
    put(record, "started", (int64_t)worker->started_mono_ms);
    put(record, "retry", (int64_t)worker->retry_mono_ms);
    put(record, "started_wall", (int64_t)worker->started_wall_ms);
    put(record, "online", (int64_t)worker->online_wall_ms);
    put(record, "exit_code", worker->exit_code);
    put(record, "exit_signal", worker->exit_signal);
    put_bool(record, "stop_wanted", worker->stop_wanted);
    put_bool(record, "again_wanted", worker->again_wanted);
    if (worker->restart_reason != RESTART_NO_REASON)
        json_object_object_add(record, "restart_reason",
                               json_object_new_string(restart_reason_name(worker->restart_reason)));
    json_object_object_add(record, "ready_by",
                           json_object_new_string(worker->ready_by ? worker->ready_by : ""));
    json_object_object_add(record, "reason", json_object_new_string(worker->reason));
    return record;
}

static void put_history(struct json_object *record, const struct restart_history *history)
{
    struct json_object *recent = json_object_new_array();
    unsigned oldest = history->recent_next + RESTART_STORM - history->recent_count;
    for (unsigned i = 0; i < history->recent_count; i++) {
        uint64_t at = history->recent_ms[(oldest + i) % RESTART_STORM];
        json_object_array_add(recent, json_object_new_int64((int64_t)at));
    }
    put(record, "unstable", history->unstable);
    put_bool(record, "storm", history->storm);
    json_object_object_add(record, "recent_restarts", recent);
}

static struct json_object *slot_record(struct slot *slot)
{
    struct json_object *record = json_object_new_object();
    put(record, "id", slot->id);
    put(record, "restarts", slot->restarts);
    json_object_object_add(record, "restarts_by", listing_restarts(slot));
    put(record, "log_lines_lost", (int64_t)slot->log_lines_lost);
    put(record, "created", (int64_t)slot->created_wall_ms);
    put_history(record, &slot->history);
    put_bool(record, "retiring", slot->retiring);
    json_object_object_add(record, "exits", exit_history_json(&slot->exits));
    for (size_t role = 0; role < 3; role++) {
        const struct worker *worker = *worker_of_role(slot, role);
        if (worker)
            json_object_object_add(record, roles[role], worker_record(worker));
    }
    return record;
}

// Apps of one file share its document, and it is written once: the number of the app's in the list.
static size_t origin_number(struct json_object *origins, const struct spec *spec)
{
    size_t count = json_object_array_length(origins);
    for (size_t i = 0; i < count; i++) {
        struct json_object *origin = json_object_array_get_idx(origins, i);
        if (json_get_object(origin, "document") == spec_document(spec))
            return i;
    }
    struct json_object *origin = json_object_new_object();
    json_object_object_add(origin, "document", json_object_get(spec_document(spec)));
    json_object_object_add(origin, "environment", json_object_get(spec_environment(spec)));
    json_object_array_add(origins, origin);
    return count;
}

static struct json_object *app_record(const struct app *app, struct json_object *origins)
{
    struct json_object *record = json_object_new_object();
    struct json_object *slots = json_object_new_array();
    for (size_t i = 0; i < app->slot_count; i++)
        json_object_array_add(slots, slot_record(app->slots[i]));
    json_object_object_add(record, "name", json_object_new_string(app->name));
    json_object_object_add(record, "file", json_object_new_string(app->file));
    put(record, "origin", (int64_t)origin_number(origins, app->spec));
    json_object_object_add(record, "slots", slots);
    return record;
}

static struct json_object *daemon_record(const struct daemon *daemon)
{
    struct json_object *record = json_object_new_object();
    struct json_object *apps = json_object_new_array();
    struct json_object *origins = json_object_new_array();
    for (const struct app *app = daemon->apps; app; app = app->next)
        json_object_array_add(apps, app_record(app, origins));
    put(record, "version", SNAPSHOT_VERSION);
    put(record, "next_id", daemon->next_id);
    put(record, "generation", (int64_t)endpoints_generation(daemon->endpoints));
    json_object_object_add(record, "origins", origins);
    json_object_object_add(record, "apps", apps);
    return record;
}

static int write_memfd(const char *text, struct err *err)
{
    size_t length = strlen(text);
    int fd = memfd_create("gwctl-snapshot", MFD_CLOEXEC);
    if (fd == -1)
        return err_set_errno(err, "snapshot");
    if (write(fd, text, length) != (ssize_t)length) {
        close(fd);
        return err_set(err, "snapshot: not written");
    }
    return fd;
}

void snapshot_save(struct daemon *daemon)
{
    struct json_object *record = daemon_record(daemon);
    struct err err;
    int fd = write_memfd(json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN), &err);
    json_object_put(record);
    if (fd == -1 || keeper_link_store(daemon->keeper, SNAPSHOT_NAME, fd, &err) == -1) {
        log_error("%s", err.text);
        return;
    }
    // Kept open for a keeper that we may have to become.
    if (daemon->snapshot_fd >= 0)
        close(daemon->snapshot_fd);
    daemon->snapshot_fd = fd;
}

// --- streams ------------------------------------------------------------------------------------

// stream.<spawn id>.<which>
static void stream_name(const struct worker *worker, size_t stream, char *out, size_t size)
{
    static const char *const words[PROCESS_STREAMS] = {
        [PROCESS_OUT] = "out", [PROCESS_ERROR] = "error", [PROCESS_NODE_CHANNEL] = "node"};
    snprintf(out, size, STREAM_PREFIX "%016" PRIx64 ".%s", worker->spawn_id, words[stream]);
}

void snapshot_keep_streams(const struct worker *worker, const struct process *process)
{
    char name[64];
    struct err err;
    for (size_t i = 0; i < PROCESS_STREAMS; i++) {
        int fd = process_stream_fd(process, (enum process_stream)i);
        stream_name(worker, i, name, sizeof name);
        if (fd >= 0 && keeper_link_store(worker->app->daemon->keeper, name, fd, &err) == -1)
            log_error("%s: %s", worker->label, err.text);
    }
}

void snapshot_drop_streams(const struct worker *worker)
{
    char name[64];
    for (size_t i = 0; i < PROCESS_STREAMS; i++) {
        stream_name(worker, i, name, sizeof name);
        keeper_link_remove(worker->app->daemon->keeper, name);
    }
}

// --- reading ------------------------------------------------------------------------------------

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
    struct keeper_link *keeper = worker->app->daemon->keeper;
    int fds[PROCESS_STREAMS];
    char name[64];

    fill_worker(worker, record);
    if (worker->pid > 0) {
        for (size_t i = 0; i < PROCESS_STREAMS; i++) {
            stream_name(worker, i, name, sizeof name);
            fds[i] = keeper_link_take(keeper, name);
        }
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
    for (size_t role = 0; role < 3; role++) {
        struct json_object *of_worker = json_get_object(record, roles[role]);
        struct worker **worker = worker_of_role(slot, role);
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

// The specs of one origin.
struct specs {
    struct spec **list;
    size_t count;
};

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

static struct spec *find_spec(const struct specs *specs, const char *name)
{
    for (size_t i = 0; i < specs->count; i++) {
        if (strcmp(spec_name(specs->list[i]), name) == 0)
            return specs->list[i];
    }
    return NULL;
}

static void free_origins(struct specs *origins, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < origins[i].count; k++)
            spec_unref(origins[i].list[k]);
        free(origins[i].list);
    }
    free(origins);
}

// Whether nothing ran in the slot or was to.
static bool is_settled_record(struct json_object *slot)
{
    struct json_object *worker = json_get_object(slot, roles[0]);
    enum worker_state state = (enum worker_state)json_get_int(worker, "state", WORKER_STOPPED);
    return !worker_state_alive(state) && state != WORKER_WAITING;
}

static int restore_app(struct daemon *daemon, struct json_object *record,
                       const struct specs *origins, size_t origin_count, struct err *err)
{
    const char *name = json_get_string(record, "name", "");
    struct json_object *slots = json_get_array(record, "slots");
    size_t origin = (size_t)json_get_int(record, "origin", -1);
    struct spec *spec = origin < origin_count ? find_spec(&origins[origin], name) : NULL;
    size_t count = slots ? json_object_array_length(slots) : 0;
    if (!spec)
        return err_set(err, "%s: not in its document", name);
    struct app *app = app_new(daemon, spec, json_get_string(record, "file", ""));
    daemon_add_app(daemon, app);
    app_resize_stopped(app, count);
    if (daemon_open_sidecar(daemon, spec, err) == -1)
        log_error("%s: %s", name, err->text);
    for (size_t i = 0; i < app->slot_count; i++) {
        if (app_is_gateway(app) && !is_settled_record(json_object_array_get_idx(slots, i)) &&
            slot_sockets_open(app, app->slots[i], spec_gateway(spec), err) == -1)
            log_error("%s: %s", name, err->text);
        restore_slot(app, app->slots[i], json_object_array_get_idx(slots, i));
    }
    return 0;
}

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
    if (record && json_get_int(record, "version", 0) != SNAPSHOT_VERSION) {
        err_set(err, "snapshot: of another version");
        json_object_put(record);
        return NULL;
    }
    return record;
}

static int restore_apps(struct daemon *daemon, struct json_object *record, struct err *err)
{
    struct json_object *apps = json_get_array(record, "apps");
    struct json_object *list = json_get_array(record, "origins");
    size_t count = list ? json_object_array_length(list) : 0;
    struct specs *origins = mem_zalloc(count + 1, sizeof *origins);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = read_origin(json_object_array_get_idx(list, i), &origins[i], err);
    for (size_t i = 0; apps && i < json_object_array_length(apps) && result == 0; i++)
        result = restore_app(daemon, json_object_array_get_idx(apps, i), origins, count, err);
    free_origins(origins, count);
    return result;
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
    while ((name = keeper_link_next(keeper, STREAM_PREFIX, &cursor)) != NULL) {
        if (sscanf(name, STREAM_PREFIX "%16[0-9a-f].out", id) == 1 && strstr(name, ".out"))
            kill_spawned(id);
    }
    keeper_link_discard_rest(keeper);
}

int snapshot_restore(struct daemon *daemon, struct err *err)
{
    int fd = keeper_link_take(daemon->keeper, SNAPSHOT_NAME);
    if (fd == -1) {
        end_unknown(daemon->keeper);
        return 0;
    }
    struct json_object *record = read_snapshot(fd, err);
    close(fd);
    if (!record)
        return -1;
    endpoints_resume(daemon->endpoints, (uint64_t)json_get_int(record, "generation", 0));
    int result = restore_apps(daemon, record, err);
    daemon->next_id = (unsigned)json_get_int(record, "next_id", daemon->next_id);
    json_object_put(record);
    if (result == 0)
        end_unknown(daemon->keeper);
    return result;
}
