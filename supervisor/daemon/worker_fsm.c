// The table of worker_fsm.h. Nothing here acts: worker.c does.

#include "worker_fsm.h"

#define ROW(state) [WORKER_##state]
#define ON(event) [WORKER_EV_##event]
#define GOES(state, action)                                                                        \
    {                                                                                              \
        WORKER_##state, WORKER_ACT_##action                                                        \
    }

static const struct worker_step table[WORKER_STATES][WORKER_EVENTS] = {
    ROW(STOPPED) = {ON(START) = GOES(STARTING, SPAWN), ON(REFUSED) = GOES(ERRORED, DISARM)},
    ROW(STARTING) = {ON(NOT_STARTED) = GOES(ERRORED, DISARM), ON(READY) = GOES(ONLINE, ANNOUNCE),
                     ON(NOT_READY) = GOES(STOPPING, TERMINATE),
                     ON(STOP) = GOES(STOPPING, TERMINATE), ON(LEFT_STOP) = GOES(STOPPED, DISARM),
                     ON(LEFT_RETRY) = GOES(WAITING, ARM_RETRY),
                     ON(LEFT_AGAIN) = GOES(STARTING, SPAWN),
                     ON(LEFT_GIVE_UP) = GOES(ERRORED, DISARM)},
    ROW(ONLINE) = {ON(DRAIN) = GOES(DRAINING, NONE), ON(STOP) = GOES(STOPPING, TERMINATE),
                   ON(FAILED) = GOES(STOPPING, TERMINATE), ON(LEFT_STOP) = GOES(STOPPED, DISARM),
                   ON(LEFT_RETRY) = GOES(WAITING, ARM_RETRY),
                   ON(LEFT_AGAIN) = GOES(STARTING, SPAWN),
                   ON(LEFT_GIVE_UP) = GOES(ERRORED, DISARM)},
    // A draining process has a successor: whatever its exit, it does not come back.
    ROW(DRAINING) = {ON(STOP) = GOES(STOPPING, TERMINATE), ON(LEFT_STOP) = GOES(STOPPED, DISARM),
                     ON(LEFT_RETRY) = GOES(STOPPED, DISARM), ON(LEFT_AGAIN) = GOES(STOPPED, DISARM),
                     ON(LEFT_GIVE_UP) = GOES(STOPPED, DISARM)},
    ROW(STOPPING) = {ON(KILL_DUE) = GOES(STAY, KILL), ON(LEFT_STOP) = GOES(STOPPED, DISARM),
                     ON(LEFT_RETRY) = GOES(WAITING, ARM_RETRY),
                     ON(LEFT_AGAIN) = GOES(STARTING, SPAWN),
                     ON(LEFT_GIVE_UP) = GOES(ERRORED, DISARM)},
    ROW(WAITING) = {ON(START) = GOES(STARTING, SPAWN), ON(REFUSED) = GOES(ERRORED, DISARM),
                    ON(RETRY_DUE) = GOES(STARTING, SPAWN), ON(STOP) = GOES(STOPPED, DISARM)},
    ROW(ERRORED) = {ON(START) = GOES(STARTING, SPAWN), ON(STOP) = GOES(STOPPED, DISARM)},
};

struct worker_step worker_fsm_step(enum worker_state state, enum worker_event event)
{
    return table[state][event];
}

const char *worker_state_name(enum worker_state state)
{
    static const char *const names[WORKER_STATES] = {
        [WORKER_STAY] = "stay",
        [WORKER_STOPPED] = "stopped",
        [WORKER_STARTING] = "starting",
        [WORKER_ONLINE] = "online",
        [WORKER_DRAINING] = "draining",
        [WORKER_STOPPING] = "stopping",
        [WORKER_WAITING] = "waiting restart",
        [WORKER_ERRORED] = "errored",
    };
    return names[state];
}

bool worker_state_alive(enum worker_state state)
{
    switch (state) {
    case WORKER_STARTING:
    case WORKER_ONLINE:
    case WORKER_DRAINING:
    case WORKER_STOPPING:
        return true;
    case WORKER_STAY:
    case WORKER_STOPPED:
    case WORKER_WAITING:
    case WORKER_ERRORED:
    case WORKER_STATES:
        return false;
    }
    return false;
}
