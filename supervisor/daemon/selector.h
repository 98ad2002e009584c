// Which apps and slots a command means: names, ids and "all".
#ifndef GW_SUPERVISOR_SELECTOR_H
#define GW_SUPERVISOR_SELECTOR_H

#include <json-c/json.h>

#include "daemon.h"

// An app, or one slot of it (named by its id).
struct selected {
    struct app *app;
    struct slot *slot; // NULL: all of them
};

// What one command is about, each thing once, in the order it was named ("all": the daemon's);
// free(items).
struct selection {
    struct selected *items;
    size_t count;
};

// -1 with err: a selector that matches nothing (with the nearest name), or no selector at all.
int selector_resolve(const struct daemon *daemon, struct json_object *selectors,
                     struct selection *selection, struct err *err) GW_MUST_USE;

#endif
