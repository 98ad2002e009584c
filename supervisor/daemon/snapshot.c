// Writes the snapshot: JSON, because it is small and has to be read by other versions. Who reads
// it: takeover.c.

#include "snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/json.h"
#include "common/log.h"
#include "endpoints.h"
#include "keeper_link.h"
#include "listing.h"

const char *const snapshot_roles[SNAPSHOT_ROLES] = {"current", "incoming", "outgoing"};

struct worker **snapshot_worker(struct slot *slot, size_t role)
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
    for (size_t role = 0; role < SNAPSHOT_ROLES; role++) {
        const struct worker *worker = *snapshot_worker(slot, role);
        if (worker)
            json_object_object_add(record, snapshot_roles[role], worker_record(worker));
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
    snprintf(out, size, SNAPSHOT_STREAM_PREFIX "%016" PRIx64 ".%s", worker->spawn_id,
             words[stream]);
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

void snapshot_take_streams(const struct worker *worker, int fds[PROCESS_STREAMS])
{
    char name[64];
    for (size_t i = 0; i < PROCESS_STREAMS; i++) {
        stream_name(worker, i, name, sizeof name);
        fds[i] = keeper_link_take(worker->app->daemon->keeper, name);
    }
}
