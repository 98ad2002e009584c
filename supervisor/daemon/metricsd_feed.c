// Builds the list of processes and compares it with what was told. The endpoint sets are pushed by
// endpoints.c, to metricsd as to all who are registered.

#include "metricsd_feed.h"

#include <stdlib.h>

#include "common/mem.h"
#include "control.h"
#include "endpoints.h"
#include "listing.h"

struct metricsd_feed {
    struct daemon *daemon;
    struct json_object *document;  // as told last; NULL: nothing yet
    struct json_object *processes; // the same
};

struct metricsd_feed *metricsd_feed_new(struct daemon *daemon)
{
    struct metricsd_feed *feed = mem_zalloc(1, sizeof *feed);
    feed->daemon = daemon;
    return feed;
}

void metricsd_feed_free(struct metricsd_feed *feed)
{
    if (!feed)
        return;
    json_object_put(feed->document);
    json_object_put(feed->processes);
    free(feed);
}

// --- what there is to tell ----------------------------------------------------------------------

static void put_text(struct json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static void put_number(struct json_object *object, const char *key, int64_t number)
{
    json_object_object_add(object, key, json_object_new_int64(number));
}

static struct json_object *describe_slot(const struct slot *slot)
{
    const struct worker *worker = slot->current;
    struct json_object *process = json_object_new_object();
    bool ours = spec_role(worker->spec) != SPEC_APP;
    put_text(process, "app", worker->app->name);
    put_number(process, "id", slot->id);
    put_text(process, "role", ours ? spec_name(worker->spec) : "app");
    put_number(process, "pid", worker->pid);
    put_text(process, "state", listing_status(worker->state));
    put_number(process, "column", worker->column);
    put_number(process, "started_ms", worker->pid > 0 ? (int64_t)worker->started_wall_ms : 0);
    json_object_object_add(process, "restarts", listing_restarts(slot));
    put_number(process, "memory_limit", spec_config(worker->spec)->max_memory_restart_bytes);
    put_number(process, "log_lines_lost", (int64_t)slot->log_lines_lost);
    return process;
}

static struct json_object *list_processes(const struct daemon *daemon)
{
    struct json_object *processes = json_object_new_array();
    for (const struct app *app = daemon->apps; app; app = app->next)
        for (size_t i = 0; i < app->slot_count; i++)
            json_object_array_add(processes, describe_slot(app->slots[i]));
    return processes;
}

// Of a home without a gateway: metricsd's own.
static struct json_object *find_document(const struct metricsd_feed *feed,
                                         const struct worker *worker)
{
    const struct app *gateway = daemon_gateway(feed->daemon);
    return spec_document(gateway ? gateway->spec : worker->spec);
}

// Takes what was told.
static void remember(struct json_object **told, struct json_object *now)
{
    json_object_put(*told);
    *told = now;
}

// --- telling ------------------------------------------------------------------------------------

void metricsd_feed_register(struct metricsd_feed *feed, struct control_connection *connection,
                            struct worker *worker, struct json_object *answer)
{
    control_set_worker(connection, worker);
    remember(&feed->document, json_object_get(find_document(feed, worker)));
    remember(&feed->processes, list_processes(feed->daemon));
    json_object_object_add(answer, "document", json_object_get(feed->document));
    json_object_object_add(answer, "endpoints", endpoints_current(feed->daemon->endpoints, worker));
    json_object_object_add(answer, "processes", json_object_get(feed->processes));
}

static struct worker *find_registered(const struct daemon *daemon)
{
    for (struct app *app = daemon->apps; app; app = app->next) {
        if (spec_role(app->spec) == SPEC_METRICSD)
            return app->slots[0]->current->link ? app->slots[0]->current : NULL;
    }
    return NULL;
}

static void push_processes(struct metricsd_feed *feed, struct control_connection *connection)
{
    struct json_object *processes = list_processes(feed->daemon);
    if (json_object_equal(processes, feed->processes)) {
        json_object_put(processes);
        return;
    }
    remember(&feed->processes, processes);
    struct json_object *message = json_object_new_object();
    struct json_object *args = json_object_new_object();
    json_object_object_add(args, "processes", json_object_get(processes));
    put_text(message, "cmd", "processes");
    json_object_object_add(message, "args", args);
    control_send(connection, message);
}

void metricsd_feed_push(struct metricsd_feed *feed)
{
    struct worker *worker = find_registered(feed->daemon);
    if (!worker)
        return;
    struct json_object *document = find_document(feed, worker);
    if (document != feed->document && !json_object_equal(document, feed->document))
        control_cut(worker->link);
    else
        push_processes(feed, worker->link);
}
