// What happened in a home, for people and programs that ask later or look on (`gwctl events`): the
// life of processes, reloads, settings, and what sidecars tell. Kept over a supervisor's end.
#ifndef GW_SUPERVISOR_EVENTS_H
#define GW_SUPERVISOR_EVENTS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "app.h"

struct daemon;
struct events;
struct keeper_link;

// Takes over what an earlier supervisor has written, or begins anew; one of another version is
// replaced. NULL with err.
struct events *events_open(struct keeper_link *keeper, struct err *err) GW_MUST_USE;
void events_close(struct events *events); // NULL is allowed

// There was a supervisor before this one.
bool events_are_continued(const struct events *events);

// Notes an event of the home, an app, or a worker, and tells who follows. source and name are words
// ("process", "ready"). What others wrote may be in the text: it is made safe, and cut.
void events_note(struct daemon *daemon, const char *source, const char *name, const char *format,
                 ...) GW_PRINTF(4, 5);
void events_note_app(const struct app *app, const char *source, const char *name,
                     const char *format, ...) GW_PRINTF(4, 5);
void events_note_worker(const struct worker *worker, const char *source, const char *name,
                        const char *format, ...) GW_PRINTF(4, 5);

// The last events, at most so many, the oldest first, as they are pushed (common/proto.h). The
// caller owns the array.
struct json_object *events_list(const struct events *events, size_t count);

// The number of the last event; 0: there was none.
uint64_t events_last(const struct events *events);

#endif
