// The last ends of a slot's processes: how, why, when, and what they wrote last. Pure.
#ifndef GW_SUPERVISOR_EXIT_HISTORY_H
#define GW_SUPERVISOR_EXIT_HISTORY_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    EXIT_HISTORY_MAX = 10,
    EXIT_CAUSE_SIZE = 16,
    EXIT_WHY_SIZE = 128,
    EXIT_LINES_SIZE = 1024 // of the last lines together
};

struct exit_record {
    pid_t pid;
    int code;   // -1: it was killed, or nobody saw how it ended
    int signal; // 0: no signal
    bool core;  // the system reported a core dump
    uint64_t wall_ms;
    uint64_t uptime_ms;
    char cause[EXIT_CAUSE_SIZE]; // "crash", "exit", "stop", "not_ready" ...
    char why[EXIT_WHY_SIZE];     // "stopped by command" ...; "": of its own accord
    const char *lines;           // what it wrote last, a newline between lines; never NULL
};

// Zero: nothing has ended yet.
struct exit_history {
    struct exit_record *records; // EXIT_HISTORY_MAX; NULL while there is none
    size_t count;
};

// Fills in code, signal and core from a status as waitpid(2) gives it; -1: nobody saw it.
void exit_record_set_status(struct exit_record *record, int status);

// Copies the record, in place of the oldest when there are EXIT_HISTORY_MAX.
void exit_history_add(struct exit_history *history, const struct exit_record *record);

// As `jlist` shows it and the snapshot keeps it: an array, the oldest first. The caller owns it.
struct json_object *exit_history_json(const struct exit_history *history);

// Takes up what exit_history_json has written, also by another version: a member that is missing
// reads as nothing. NULL is allowed.
void exit_history_read(struct exit_history *history, struct json_object *array);

void exit_history_clear(struct exit_history *history);

#endif
