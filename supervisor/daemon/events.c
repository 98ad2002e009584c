// Notes events in the ring, which the keeper holds, and sends each to every connection that
// follows. A follower that does not read is cut off by control.c.

#include "events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/foreign_text.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/sealed_memory.h"
#include "control.h"
#include "daemon.h"
#include "event_ring.h"
#include "keeper_link.h"

#define EVENTS_NAME "events"

struct events {
    int fd; // open, for a keeper that we may have to become
    struct event_ring *ring;
    bool continued;
};

// --- the memory ---------------------------------------------------------------------------------

static int map_ring(struct events *events, struct err *err)
{
    void *memory =
        mmap(NULL, sizeof *events->ring, PROT_READ | PROT_WRITE, MAP_SHARED, events->fd, 0);
    if (memory == MAP_FAILED)
        return err_set_errno(err, "events page");
    events->ring = memory;
    return 0;
}

static void drop(struct events *events)
{
    if (events->ring)
        munmap(events->ring, sizeof *events->ring);
    if (events->fd >= 0)
        close(events->fd);
    events->ring = NULL;
    events->fd = -1;
}

static int take_over(struct events *events, struct err *err)
{
    if (!sealed_memory_has_size(events->fd, sizeof *events->ring))
        return err_set(err, "events page: another size");
    if (map_ring(events, err) == -1)
        return -1;
    return event_ring_recover(events->ring, err);
}

static int begin(struct events *events, struct err *err)
{
    events->fd = sealed_memory_create("events", sizeof *events->ring, err);
    if (events->fd == -1 || map_ring(events, err) == -1)
        return -1;
    event_ring_format(events->ring);
    return 0;
}

struct events *events_open(struct keeper_link *keeper, struct err *err)
{
    struct events *events = mem_zalloc(1, sizeof *events);
    events->fd = keeper_link_take(keeper, EVENTS_NAME);
    events->continued = events->fd >= 0;
    if (events->fd >= 0 && take_over(events, err) == -1) {
        log_warn("%s: replaced by an empty one", err->text);
        drop(events);
    }
    if ((events->fd == -1 && begin(events, err) == -1) ||
        keeper_link_store(keeper, EVENTS_NAME, events->fd, err) == -1) {
        events_close(events);
        return NULL;
    }
    return events;
}

void events_close(struct events *events)
{
    if (!events)
        return;
    drop(events);
    free(events);
}

bool events_are_continued(const struct events *events)
{
    return events->continued;
}

// --- telling ------------------------------------------------------------------------------------

static void put_text(struct json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static struct json_object *event_record(uint64_t number, const struct event *event)
{
    struct json_object *record = json_object_new_object();
    json_object_object_add(record, "number", json_object_new_int64((int64_t)number));
    json_object_object_add(record, "time_ms", json_object_new_int64((int64_t)event->wall_ms));
    put_text(record, "source", event->source);
    put_text(record, "name", event->name);
    if (*event->app)
        put_text(record, "app", event->app);
    if (event->id != EVENT_NO_ID)
        json_object_object_add(record, "id", json_object_new_int64(event->id));
    put_text(record, "text", event->text);
    return record;
}

// context: the record.
static void push_to(struct control_connection *connection, void *context)
{
    struct json_object *message = json_object_new_object();
    put_text(message, "cmd", "event");
    json_object_object_add(message, "args", json_object_get(context));
    control_send(connection, message);
}

struct json_object *events_list(const struct events *events, size_t count)
{
    struct json_object *list = json_object_new_array();
    uint64_t last = event_ring_last(events->ring);
    uint64_t wanted = count < EVENT_RING_RECORDS ? count : EVENT_RING_RECORDS;
    struct event event;
    for (uint64_t number = last > wanted ? last - wanted + 1 : 1; number <= last; number++) {
        if (event_ring_get(events->ring, number, &event))
            json_object_array_add(list, event_record(number, &event));
    }
    return list;
}

uint64_t events_last(const struct events *events)
{
    return event_ring_last(events->ring);
}

// --- noting -------------------------------------------------------------------------------------

static void copy(char *out, size_t size, const char *text)
{
    foreign_text_copy(out, size, text, strlen(text));
}

// `event` has its app and id.
static void note(struct daemon *daemon, struct event *event, const char *source, const char *name,
                 const char *format, va_list args)
{
    char text[PROTO_EVENT_SIZE];
    vsnprintf(text, sizeof text, format, args);
    event->wall_ms = clock_wall_ms();
    copy(event->source, sizeof event->source, source);
    copy(event->name, sizeof event->name, name);
    copy(event->text, sizeof event->text, text);
    event_ring_append(daemon->events->ring, event);
    struct json_object *record = event_record(events_last(daemon->events), event);
    control_each_follower(daemon->control, push_to, record);
    json_object_put(record);
}

void events_note(struct daemon *daemon, const char *source, const char *name, const char *format,
                 ...)
{
    struct event event = {.id = EVENT_NO_ID};
    va_list args;
    va_start(args, format);
    note(daemon, &event, source, name, format, args);
    va_end(args);
}

void events_note_app(const struct app *app, const char *source, const char *name,
                     const char *format, ...)
{
    struct event event = {.id = EVENT_NO_ID};
    va_list args;
    va_start(args, format);
    copy(event.app, sizeof event.app, app->name);
    note(app->daemon, &event, source, name, format, args);
    va_end(args);
}

void events_note_worker(const struct worker *worker, const char *source, const char *name,
                        const char *format, ...)
{
    struct event event = {.id = worker->slot->id};
    va_list args;
    va_start(args, format);
    copy(event.app, sizeof event.app, worker->app->name);
    note(worker->app->daemon, &event, source, name, format, args);
    va_end(args);
}
