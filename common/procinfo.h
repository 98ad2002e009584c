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

// Whether this process has this child, as its oldest, and no other one, zombies counted. False also
// where the kernel does not tell. Of a process with threads only the first one's children are seen.
bool procinfo_only_child(pid_t parent, pid_t child);

// All living processes, zombies left out; the caller frees the list. Returns how many there are.
size_t procinfo_list(struct procinfo **list);

// Its memory that no other process shares (smaps_rollup: Private_*); 0: we may not look.
uint64_t procinfo_private_bytes(pid_t pid);

// The text of smaps_rollup, summed up like that. Pure.
uint64_t procinfo_parse_private(const char *text);

// What the process was started with as this variable, cut to the size. False: it has none, or we
// may not look.
bool procinfo_variable(pid_t pid, const char *name, char *value, size_t size);

// The pids of the living processes that were started with this variable in their environment, as
// far as we may look: the first `limit` go to pids. Returns how many there are.
size_t procinfo_with_variable(const char *name, const char *value, pid_t *pids, size_t limit);

#endif
