// The end of a worker's process: what is noted of it, for people at once and for whoever asks
// later, and what it leads to, which restart_policy decides.
#ifndef GW_SUPERVISOR_WORKER_EXIT_H
#define GW_SUPERVISOR_WORKER_EXIT_H

#include "worker.h"

// Fills the worker's exit_code, exit_signal and reason, and adds the end to its slot's history.
// Called while the worker still has the process, in the state in which it ended; status as
// process_events.on_exit has it.
void worker_exit_note(struct worker *worker, int status, uint64_t uptime_ms);

// The event that the end is to the worker's table. When it is a restart that has to wait, the wait
// has begun. Called after worker_exit_note; not for a process that could not be executed.
enum worker_event worker_exit_judge(struct worker *worker, int status, uint64_t uptime_ms);

#endif
