// What is noted of a worker's process when it has ended: for people at once, and for whoever asks
// later. What its end means is restart_policy's.
#ifndef GW_SUPERVISOR_WORKER_EXIT_H
#define GW_SUPERVISOR_WORKER_EXIT_H

#include "worker.h"

// We ended it without being asked to, because something was wrong with it.
bool worker_exit_was_forced(const struct worker *worker);

// Fills the worker's exit_code, exit_signal and reason, and adds the end to its slot's history.
// Called while the worker still has the process, in the state in which it ended; status as
// process_events.on_exit has it.
void worker_exit_note(struct worker *worker, int status, uint64_t uptime_ms);

#endif
