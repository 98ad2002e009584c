// The processes that `list` answers with, for the commands that show them.
#ifndef GW_CLI_PROCESSES_H
#define GW_CLI_PROCESSES_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/err.h"

// A JSON array (json_object_put); empty when no supervisor runs. NULL with err.
struct json_object *processes_list(struct err *err) GW_MUST_USE;

// Is it this process that `word` (name, id, "all") means?
bool process_matches(struct json_object *process, const char *word);

#endif
