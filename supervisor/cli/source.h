// What a word of the command line names: an ecosystem file, an app, or a script; and the resolved
// document that goes to the supervisor.
#ifndef GW_CLI_SOURCE_H
#define GW_CLI_SOURCE_H

#include <json-c/json.h>
#include <stdbool.h>

#include "commands.h"

// Is "-", or ends with .json or .jsonc and has a "/" or names an existing file: an app's name may
// end so too.
bool source_is_file(const char *word);

enum source_words { SOURCE_NAMES, SOURCE_FILES, SOURCE_MIXED };

// What all of the words are. count >= 1.
enum source_words source_of_words(char **words, size_t count);

// Can be run: a file, here or in the folder `cwd` (may be NULL), or a program found in PATH.
bool source_is_program(const char *word, const char *cwd);

// Loads an ecosystem file in this command's environment; prints every finding to stderr. The
// resolved document (json_object_put), or NULL.
struct json_object *source_load_file(const char *path);

// The documents of all files, or NULL when one has an error; every finding of each was printed.
// Freed with source_free_documents.
struct json_object **source_load_files(char **paths, size_t count);
void source_free_documents(struct json_object **documents, size_t count); // NULL is allowed

// The document of `gwctl start SCRIPT OPTIONS`; the words are taken as they stand, ${...} means
// nothing in them. Findings as above.
struct json_object *source_from_script(const struct command *command,
                                       const struct options *options);

// The names a document holds, as a JSON array for `selectors`.
struct json_object *source_names(struct json_object *document);

// An absolute name for messages. New string (free).
char *source_full_path(const char *path);

#endif
