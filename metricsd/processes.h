// The processes that the supervisor runs, as it pushes them, and what was last measured of each.
// Pure; times are clock_mono_ms.
#ifndef GW_METRICSD_PROCESSES_H
#define GW_METRICSD_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "procfs.h"

struct json_object;

struct restart_count {
    char *reason;
    uint64_t count;
};

struct process {
    char *app, *role, *state;
    int64_t id;          // unique
    pid_t pid;           // 0: none
    int column;          // of the state page; -1: none
    uint64_t started_ms; // wall clock; 0: none
    struct restart_count *restarts;
    size_t restart_count;
    uint64_t log_lines_lost;
    uint64_t memory_limit_bytes; // 0: none
    bool was_tried;              // to sample
    bool is_sampled;             // with success
    struct procfs_sample sample; // valid with is_sampled
    uint64_t sampled_ms;
    double cpu_share; // of one CPU, between the last two samples; NAN: unknown
};

// Zero-initialise. Sorted by id.
struct processes {
    struct process *items;
    size_t count;
    size_t next; // to be sampled
};

// Takes a new list over; samples of processes that are still the same stay. On -1 nothing changed.
int processes_set(struct processes *processes, struct json_object *list,
                  struct err *err) GW_MUST_USE;
void processes_clear(struct processes *processes);

// Whose turn it is to be sampled: new ones first, then all in turns; NULL: nobody has a pid.
struct process *processes_next(struct processes *processes);
bool processes_has_new(const struct processes *processes);

// Enters a sample. One of another process with the same pid is dropped; CPU time never goes back.
void process_enter(struct process *process, const struct procfs_sample *sample, uint64_t now_ms);

// What counts as its memory: the share of it that is its own, where the kernel tells.
uint64_t process_memory(const struct process *process);

bool process_has_role(const struct process *process, const char *role);
bool process_is_online(const struct process *process);

#endif
