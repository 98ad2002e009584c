// The life of one supervised process as a pure table: state × event -> next state, action.
//
//                    START                READY               DRAIN
//      STOPPED ───────────────▶ STARTING ───────▶ ONLINE ──────────────▶ DRAINING
//         ▲                      │  ▲  │            │                       │
//         │ LEFT_STOP            │  │  └────────────┴──── STOP ─────────────┤
//      STOPPING ◀────────────────┘  │ RETRY                                ▼
//         │  STOP, NOT_READY, FAILED│                                     STOPPING
//         └──── LEFT_RETRY ──▶ WAITING        LEFT_GIVE_UP, NOT_STARTED ──▶ ERRORED
//
// STOPPED    no process, none wanted
// STARTING   spawned, not yet proven ready (timer: ready)
// ONLINE     ready
// DRAINING   ready, but nothing new is sent to it (timer: drain, owned by the reload)
// STOPPING   the stop signal was sent (timer: kill)
// WAITING    no process; the next try is due later (timer: retry)
// ERRORED    no process; given up until someone starts it
//
// What an exit means (again? never again?) is decided by restart_policy before it becomes an event.
#ifndef GW_SUPERVISOR_WORKER_FSM_H
#define GW_SUPERVISOR_WORKER_FSM_H

#include <stdbool.h>

enum worker_state {
    WORKER_STAY, // in the table: no change
    WORKER_STOPPED,
    WORKER_STARTING,
    WORKER_ONLINE,
    WORKER_DRAINING,
    WORKER_STOPPING,
    WORKER_WAITING,
    WORKER_ERRORED,
    WORKER_STATES
};

enum worker_event {
    WORKER_EV_START,        // someone wants it to run
    WORKER_EV_REFUSED,      // what it needs to start is not to be had (its port, for one)
    WORKER_EV_NOT_STARTED,  // the program could not be executed
    WORKER_EV_READY,        // proven ready
    WORKER_EV_NOT_READY,    // the ready timer ran out
    WORKER_EV_FAILED,       // online, but it does not work any more
    WORKER_EV_DRAIN,        // a successor serves; take nothing new
    WORKER_EV_STOP,         // someone wants it to end
    WORKER_EV_KILL_DUE,     // the kill timer ran out
    WORKER_EV_RETRY_DUE,    // the retry timer ran out
    WORKER_EV_LEFT_STOP,    // it exited, and that is the end
    WORKER_EV_LEFT_RETRY,   // it exited and is to start again later
    WORKER_EV_LEFT_AGAIN,   // it exited and is to start again now
    WORKER_EV_LEFT_GIVE_UP, // it exited once too often
    WORKER_EVENTS
};

enum worker_action {
    WORKER_ACT_NONE,
    WORKER_ACT_SPAWN,     // start the process, arm the ready timer
    WORKER_ACT_ANNOUNCE,  // stop probing, it may get work
    WORKER_ACT_TERMINATE, // stop signal, arm the kill timer
    WORKER_ACT_KILL,      // SIGKILL to the whole session
    WORKER_ACT_ARM_RETRY, // arm the retry timer
    WORKER_ACT_DISARM     // no timer runs, nothing is left of it
};

struct worker_step {
    enum worker_state next; // WORKER_STAY: unchanged
    enum worker_action action;
};

// The cell of the table. An event that means nothing in a state gives {WORKER_STAY, NONE}.
struct worker_step worker_fsm_step(enum worker_state state, enum worker_event event);

// "online", "waiting restart" ...: PM2's words where PM2 has the state.
const char *worker_state_name(enum worker_state state);

// A process exists in this state.
bool worker_state_alive(enum worker_state state);

#endif
