// The processes that `list` answers with, for the commands that show them.
#ifndef GW_CLI_PROCESSES_H
#define GW_CLI_PROCESSES_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

// A JSON array (json_object_put); empty when no supervisor runs. NULL with err.
struct json_object *processes_list(struct err *err) GW_MUST_USE;

// The same; that no supervisor runs is an error.
struct json_object *processes_of_running(struct err *err) GW_MUST_USE;

// Is it this process that `word` (name, id, "all") means?
bool process_matches(struct json_object *process, const char *word);

// The first of the words that means none of the processes; NULL when each means something ("all"
// may mean nothing).
const char *processes_first_unknown(struct json_object *processes, char **words, size_t count);

// "<word>: <sentence>" on stderr, with the name that may have been meant. Returns EXIT_FAILED.
int processes_refuse(struct json_object *processes, const char *word, const char *sentence);

#endif
