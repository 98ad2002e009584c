// The handlers of worker verbs. Who may say one is decided by commands.c's table.

#include "worker_verbs.h"

#include <string.h>

#include "common/foreign_text.h"
#include "common/json.h"
#include "common/log.h"
#include "common/proto.h"
#include "control.h"
#include "daemon.h"
#include "endpoints.h"
#include "event_ring.h"
#include "events.h"
#include "metricsd_feed.h"
#include "operation.h"
#include "snapshot.h"

struct worker *worker_verbs_speaker(const struct request *request)
{
    return daemon_find_pid(request->daemon, control_peer_pid(request->connection));
}

// Gateway workers become the connection's worker: they are sent the endpoint sets, and waited for.
// False when there is no column left.
static bool register_gateway(const struct request *request, struct worker *worker,
                             struct json_object *answer)
{
    if (worker->column == WORKER_NO_COLUMN)
        worker->column = daemon_take_column(request->daemon);
    if (worker->column == WORKER_NO_COLUMN)
        return false;
    control_set_worker(request->connection, worker);
    // Before it counts there: a supervisor after us must not give the column to another.
    snapshot_save(request->daemon);
    json_object_object_add(answer, "document", json_object_get(spec_document(worker->spec)));
    json_object_object_add(answer, "column", json_object_new_int(worker->column));
    json_object_object_add(answer, "endpoints",
                           endpoints_current(request->daemon->endpoints, worker));
    request->daemon->changed = true;
    return true;
}

// Adds what a process of the role is to know; false when there is no place for it.
static bool register_role(const struct request *request, struct worker *worker,
                          struct json_object *answer)
{
    switch (spec_role(worker->spec)) {
    case SPEC_APP: // may not say it
        break;
    case SPEC_GATEWAY:
        return register_gateway(request, worker, answer);
    case SPEC_CACHESVC: // asks once
        json_object_object_add(answer, "document", json_object_get(spec_document(worker->spec)));
        break;
    case SPEC_METRICSD:
        metricsd_feed_register(request->daemon->feed, request->connection, worker, answer);
        break;
    }
    return true;
}

void worker_verbs_register(const struct request *request)
{
    struct worker *worker = worker_verbs_speaker(request);
    const char *role = json_get_string(request->args, "role", "");
    if (strcmp(role, spec_name(worker->spec)) != 0) {
        control_refuse(request->connection, request->id, "not a role of this process");
        return;
    }
    struct json_object *answer = json_object_new_object();
    if (!register_role(request, worker, answer)) {
        json_object_put(answer);
        control_refuse(request->connection, request->id, "too many gateway workers");
        return;
    }
    control_answer(request->connection, request->id, answer);
}

static void copy_member(const struct request *request, const char *name, char *out, size_t size)
{
    const char *text = json_get_string(request->args, name, "");
    foreign_text_copy(out, size, text, strlen(text));
}

void worker_verbs_event(const struct request *request)
{
    const struct worker *speaker = worker_verbs_speaker(request);
    char source[EVENT_WORD_SIZE], name[EVENT_WORD_SIZE], text[PROTO_EVENT_SIZE];
    copy_member(request, "source", source, sizeof source);
    copy_member(request, "name", name, sizeof name);
    copy_member(request, "text", text, sizeof text);
    if (!*source || !*name) {
        log_warn("control: pid %d: an event without source or name",
                 (int)control_peer_pid(request->connection));
        return;
    }
    log_info("%s: %s %s%s%s", spec_name(speaker->spec), source, name, *text ? ": " : "", text);
    events_note_worker(speaker, source, name, "%s", text);
}

void worker_verbs_endpoints_ack(const struct request *request)
{
    control_set_acked(request->connection, (uint64_t)json_get_int(request->args, "generation", 0));
    operations_check(request->daemon->operations);
}
