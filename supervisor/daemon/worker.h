// One worker: a place for one process of an app, over its restarts, as worker_fsm.h describes it.
// This module acts out the table; which workers an app has is app.c's business.
#ifndef GW_SUPERVISOR_WORKER_H
#define GW_SUPERVISOR_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "process.h"
#include "process_tree.h"
#include "restart_policy.h"
#include "restart_reason.h"
#include "spec.h"
#include "worker_fsm.h"

struct app;
struct control_connection;
struct liveness;
struct retirement;
struct readiness;
struct slot;

enum {
    WORKER_LABEL_SIZE = 80,
    WORKER_REASON_SIZE = 256,
    WORKER_NO_ENDPOINT = -1,
    WORKER_NO_COLUMN = -1
};

struct worker {
    struct app *app;
    struct slot *slot;
    struct spec *spec; // what it was (or will be) started from
    enum worker_state state;
    struct process *process;       // NULL: none, or it has ended
    pid_t pid;                     // 0: none, and nothing is left of the last one
    uint64_t start_ticks;          // with the pid: struct process_identity
    uint64_t spawn_id;             // ENV_SPAWN of its process; 0: none
    char label[WORKER_LABEL_SIZE]; // "api#2"

    int port;     // of a `"port": "auto"` app's process, or the plain port; 0: none
    int endpoint; // index in the state page, or WORKER_NO_ENDPOINT
    bool serving; // part of the endpoint sets
    int column;   // gateway workers: column of the state page, or WORKER_NO_COLUMN
    struct control_connection *link; // gateway workers, metricsd: registered; NULL: not

    bool candidate;    // a reload's new process: does not restart before it took over
    bool stop_wanted;  // we asked it to end
    bool again_wanted; // ... and to start anew
    enum restart_reason restart_reason; // what a process after this one is counted as

    uint64_t started_mono_ms;        // of the last spawn
    uint64_t retry_mono_ms;          // WAITING: when the next try is due
    uint64_t started_wall_ms;        // the same, for people
    uint64_t ended_mono_ms;          // of the last process that ended
    int end_status;                  // ... as waitpid(2) has it
    bool start_failed;               // ... or which could not be executed
    uint64_t online_wall_ms;         // since when it is ready; 0: not
    const char *ready_by;            // what proved it: "http", "notify" ...; NULL: not yet
    bool was_ready;                  // since the last spawn
    char reason[WORKER_REASON_SIZE]; // why it is in this state; "" when there is nothing to tell
    int exit_code;                   // of the last exit; -1: none yet, or by a signal
    int exit_signal;                 // 0: none

    uint64_t cpu_ms;      // at the last listing
    uint64_t cpu_seen_ms; // when that was (monotonic)

    struct liveness *liveness;     // while ONLINE; NULL: nobody looks
    struct readiness *readiness;   // while STARTING
    struct retirement *retirement; // while it is taken out gracefully
    uv_timer_t ready_timer;
    uv_timer_t kill_timer;
    uv_timer_t retry_timer;
    unsigned open_timers;
};

// A worker of the slot, STOPPED, with a reference to the spec.
struct worker *worker_new(struct app *app, struct slot *slot, struct spec *spec);

// For a worker without a process only.
void worker_free(struct worker *worker);

// Wants it to run: STOPPED, WAITING and ERRORED start; others stay.
void worker_start(struct worker *worker);

// It cannot be started, for a reason that no retry mends: ERRORED.
void worker_refuse(struct worker *worker, const char *reason);

// Wants it to end. `reason` is for the log and the list; borrowed.
void worker_stop(struct worker *worker, const char *reason);

// Wants it to end and to start anew: MANUAL, RELOAD or MEMORY.
void worker_restart(struct worker *worker, enum restart_reason reason);

// Takes over a process that an earlier supervisor started: pid, port, endpoint, column, times and
// state are set by the caller from what that one noted; fds are as process_adopt takes them.
// A STARTING one is probed anew, a STOPPING one has its kill_timeout anew.
void worker_adopt(struct worker *worker, const int fds[PROCESS_STREAMS]);

// WAITING until then, on the monotonic clock.
void worker_wait(struct worker *worker, uint64_t due_mono_ms);

// Its process, which was adopted, has ended; status as process_reaped takes it.
void worker_reaped(struct worker *worker, int status);

// Nothing new is sent to it from here on; for ONLINE.
void worker_drain(struct worker *worker);

// SIGKILL now to it and all that came of it; a restart after that is counted as `as`.
void worker_kill(struct worker *worker, enum restart_reason as, const char *reason);

// ONLINE, but it does not work any more: it is ended, and restarted as its policy has it. First the
// requests go elsewhere, if there is somebody. `why` is for the log and the list; borrowed.
void worker_fail(struct worker *worker, enum restart_reason reason, const char *why);

// The same, now that nothing is sent to it.
void worker_end_failed(struct worker *worker);

// Something proved that it is ready: "notify", "http", "tcp" ... (a literal).
void worker_ready(struct worker *worker, const char *by);

// Its process and all that came of it.
struct process_tree worker_tree(const struct worker *worker);

// Where it listens, for people and for endpoint sets: "127.0.0.1:20001". "" when it does not.
void worker_address(const struct worker *worker, char *out, size_t size);

#endif
