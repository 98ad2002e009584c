// The commands of gwctl: one row each, from word to handler. Parser, help and suggestions read it.
// A group ("cache") is a row with a table of its own.
#ifndef GW_CLI_COMMANDS_H
#define GW_CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

struct command {
    const char *word;           // as it is typed: "list", "cache stats"
    const char *const *aliases; // NULL-terminated; NULL: none
    const char *arguments;      // for the help
    const char *help;           // one sentence
    const char *more;           // the longer help; NULL: none
    const struct option_row *options;
    size_t min_words, max_words; // besides options; max 0 with min 0: none
    int (*run)(const struct command *command, const struct options *options); // the exit code
    bool takes_rest;                // words behind "--" are for it; else there may be none
    bool homeless;                  // needs no home
    const struct command *commands; // of a group, which has no handler; NULL: it is a command
};

extern const struct command commands[]; // ends with a row whose word is NULL, as those of groups do

// The table of a group; of NULL: gwctl's own.
const struct command *command_table(const struct command *group);
// The last part of its word: "stats".
const char *command_name(const struct command *command);
// In the table of a group (may be NULL), by name or alias; NULL when unknown.
const struct command *command_find(const struct command *group, const char *name);

// Of a command, of a group, or, with NULL, of gwctl.
void command_print_help(const struct command *command);
// What is wrong with the words, and the usage, on stderr. Returns EXIT_USAGE.
int command_refuse(const struct command *command, const char *what);

// --- handlers (a file each: cmd_<topic>.c) ------------------------------------------------------

int cmd_start(const struct command *command, const struct options *options);
int cmd_reload(const struct command *command, const struct options *options);
int cmd_end(const struct command *command, const struct options *options);
int cmd_scale(const struct command *command, const struct options *options);
int cmd_update(const struct command *command, const struct options *options);
int cmd_kill(const struct command *command, const struct options *options);
int cmd_ping(const struct command *command, const struct options *options);
int cmd_list(const struct command *command, const struct options *options);
int cmd_jlist(const struct command *command, const struct options *options);
int cmd_describe(const struct command *command, const struct options *options);
int cmd_logs(const struct command *command, const struct options *options);
int cmd_flush(const struct command *command, const struct options *options);
int cmd_reload_logs(const struct command *command, const struct options *options);
int cmd_events(const struct command *command, const struct options *options);
int cmd_cache_stats(const struct command *command, const struct options *options);
int cmd_cache_get(const struct command *command, const struct options *options);
int cmd_cache_purge(const struct command *command, const struct options *options);
int cmd_cache_warm(const struct command *command, const struct options *options);
int cmd_check(const struct command *command, const struct options *options);

#endif
