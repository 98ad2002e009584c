// From an app's settings to a running process: program, arguments, environment, sockets.
#ifndef GW_SUPERVISOR_SPAWN_H
#define GW_SUPERVISOR_SPAWN_H

#include "log_format.h"
#include "worker.h"

// Starts worker's process with its spec. -1 with the reason, when the fault is one that no retry
// mends (no such script, unreadable folder, port taken).
int spawn_worker(struct worker *worker, const struct process_events *events,
                 struct err *err) GW_MUST_USE;

// The interpreter of a script: by the extension (.py .js .sh ...), NULL when it is to be executed
// itself (a shebang, a binary, an unknown extension with the x bit).
const char *spawn_interpreter(const char *script);

// <logs>/<name>-out[-id].log and -error; the app's own file when it names one. New strings (free).
char *spawn_log_path(const struct worker *worker, bool error);

// The rotation of each of these files: an even share of what all of the app's may take.
struct log_rotate_config spawn_log_rotation(const struct worker *worker);

// The form of their lines; it borrows from worker and its spec.
struct log_format spawn_log_format(const struct worker *worker);

#endif
