// An event of the supervisor's (common/proto.h) as a line for people.
#ifndef GW_CLI_EVENT_VIEW_H
#define GW_CLI_EVENT_VIEW_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/buf.h"

// Appends "2026-01-02 03:04:05.678 api 3: process exit: exited 1 after 3.1 s" and a newline, the
// time in local time. In colour what happened is red, yellow or green by how it is meant.
void event_view_append(struct buf *out, struct json_object *event, bool in_colour);

#endif
