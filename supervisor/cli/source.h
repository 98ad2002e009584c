// What a word of the command line names: an ecosystem file, an app, or a script; and the resolved
// document that goes to the supervisor.
#ifndef GW_CLI_SOURCE_H
#define GW_CLI_SOURCE_H

#include <json-c/json.h>
#include <stdbool.h>

#include "commands.h"

// Ends with .json or .jsonc, or is "-".
bool source_is_file(const char *word);

// Loads an ecosystem file in this command's environment; prints every finding to stderr. The
// resolved document (json_object_put), or NULL.
struct json_object *source_load_file(const char *path);

// The document of `gwctl start SCRIPT OPTIONS`; findings as above.
struct json_object *source_from_script(const struct command *command,
                                       const struct options *options);

// The names a document holds, as a JSON array for `selectors`.
struct json_object *source_names(struct json_object *document);

// An absolute name for messages. New string (free).
char *source_full_path(const char *path);

#endif
