// What a supervisor has to know when it takes over from one that died: apps, slots, processes.
// takeover.h reads it.
//
// After every change the whole is written to a new memfd, which replaces the one in the keeper: the
// next supervisor finds the old state or the new one, never half of one. Our ends of each
// process's streams are in the keeper as stream.<spawn id>.out, .error and .node.
#ifndef GW_SUPERVISOR_SNAPSHOT_H
#define GW_SUPERVISOR_SNAPSHOT_H

#include "common/layout.h"
#include "daemon.h"

enum { SNAPSHOT_VERSION = LAYOUT_VERSION(1), SNAPSHOT_ROLES = 3 };

// Names in the keeper.
#define SNAPSHOT_NAME "snapshot"
#define SNAPSHOT_STREAM_PREFIX "stream."

// The workers of a slot, by what they are to it: the name in a slot's record, and where it stands.
extern const char *const snapshot_roles[SNAPSHOT_ROLES];
struct worker **snapshot_worker(struct slot *slot, size_t role);

// Writes the snapshot. A failure is logged: it costs the next take-over, nothing else.
void snapshot_save(struct daemon *daemon);

// Puts a process's streams into the keeper; takes them out again; finds those that an earlier
// supervisor put there (-1 where there is none; the caller's from now on).
void snapshot_keep_streams(const struct worker *worker, const struct process *process);
void snapshot_drop_streams(const struct worker *worker);
void snapshot_take_streams(const struct worker *worker, int fds[PROCESS_STREAMS]);

#endif
