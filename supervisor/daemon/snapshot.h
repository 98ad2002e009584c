// What a supervisor has to know when it takes over from one that died: apps, slots, processes.
//
// After every change the whole is written to a new memfd, which replaces the one in the keeper: the
// next supervisor finds the old state or the new one, never half of one. Our ends of each
// process's streams are in the keeper as stream.<spawn id>.out, .error and .node.
#ifndef GW_SUPERVISOR_SNAPSHOT_H
#define GW_SUPERVISOR_SNAPSHOT_H

#include "daemon.h"

enum { SNAPSHOT_VERSION = 1 };

// Writes the snapshot. A failure is logged: it costs the next take-over, nothing else.
void snapshot_save(struct daemon *daemon);

// Takes over what the keeper holds; nothing there is fine. Processes that ended meanwhile are
// reported (process_adopt). -1: it is damaged or of another version,
// and what it names runs on without a supervisor.
int snapshot_restore(struct daemon *daemon, struct err *err) GW_MUST_USE;

// Puts a process's streams into the keeper; takes them out again.
void snapshot_keep_streams(const struct worker *worker, const struct process *process);
void snapshot_drop_streams(const struct worker *worker);

#endif
