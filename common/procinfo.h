// What /proc tells about processes: memory, CPU, session, and whether a pid is still the same one.
#ifndef GW_COMMON_PROCINFO_H
#define GW_COMMON_PROCINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct procinfo {
    pid_t pid, parent, session;
    char state;           // 'R', 'S', 'Z' ...
    uint64_t start_ticks; // since boot: together with the pid it names one process for ever
    uint64_t cpu_ms;      // user and system, of all its threads
    uint64_t rss_bytes;
};

// -1: no such process.
int procinfo_read(pid_t pid, struct procinfo *info) GW_MUST_USE;

// The text of /proc/PID/stat. -1: it is none. Pure, but for the page size and the clock tick.
int procinfo_parse(const char *text, struct procinfo *info) GW_MUST_USE;

// The process that was seen with this start still lives (a zombie does not).
bool procinfo_lives(pid_t pid, uint64_t start_ticks);

// The sum over a session. `session` is filled in by the caller.
struct procinfo_session {
    pid_t session;
    unsigned processes; // zombies are not counted anywhere
    uint64_t cpu_ms;    // of the living ones
    uint64_t rss_bytes;
};

// Fills in all of them with one walk through /proc.
void procinfo_tree(struct procinfo_session *sessions, size_t count);

// The pids of a session, zombies left out: the first `limit` go to pids (may be NULL with 0).
// Returns how many there are.
size_t procinfo_children_of_session(pid_t session, pid_t *pids, size_t limit);

// The pids of the living processes that were started with this "NAME=value" in their environment,
// as far as we may look: the first `limit` go to pids. Returns how many there are.
size_t procinfo_with_variable(const char *assignment, pid_t *pids, size_t limit);

#endif
