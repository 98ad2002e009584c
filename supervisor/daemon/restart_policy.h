// What an exit means: the end, again now, again later, or never again. Pure.
//
// PM2 counts unstable exits only in the first seconds of an app's life and restarts for ever at
// full speed afterwards; here every exit before min_uptime counts, in a row, at any age.
//
// What lives just longer than min_uptime would still restart for ever. That is a slow storm: after
// RESTART_STORM restarts in an hour there is one attempt a minute, until at most half as many have
// been in an hour.
#ifndef GW_SUPERVISOR_RESTART_POLICY_H
#define GW_SUPERVISOR_RESTART_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/backoff.h"
#include "common/exit_set.h"

enum { RESTART_STORM = 60, RESTART_STORM_WAIT_MS = 60000 };

struct restart_policy {
    bool autorestart;
    uint32_t min_uptime_ms;
    int max_restarts;  // unstable exits in a row until it is given up; -1: never
    uint32_t delay_ms; // fixed delay; 0: the backoff decides
    struct backoff_policy backoff;
    struct exit_set stop_exits; // after one of these it is not wanted any more
    bool ends_storms;           // one that restarts all the time gets slow
    bool first_at_once;         // the first unstable exit is restarted without a wait
};

// Kept per slot, over all its processes. Zero: nothing happened yet.
struct restart_history {
    int unstable; // exits in a row, each before min_uptime
    struct backoff backoff;
    uint64_t recent_ms[RESTART_STORM]; // when the last restarts were decided: a ring
    unsigned recent_count;             // how many of them there are
    unsigned recent_next;              // where the next one goes
    bool storm;
};

// One exit.
struct restart_exit {
    int status;      // as waitpid(2) gives it; -1: nobody saw it
    uint64_t now_ms; // monotonic
    uint64_t uptime_ms;
    bool was_ready;    // a process that never was ready is unstable whatever its age
    bool stop_wanted;  // we asked it to end
    bool again_wanted; // ... in order to start it anew
    bool forced;       // we ended it because something was wrong: its status is our doing
};

enum restart_verdict { RESTART_NO, RESTART_NOW, RESTART_LATER, RESTART_GIVE_UP };

// Decides, updates history, and writes the wait of RESTART_LATER to *delay_ms.
enum restart_verdict restart_decide(const struct restart_policy *policy,
                                    struct restart_history *history,
                                    const struct restart_exit *exit, uint32_t *delay_ms);

// A restart was decided then; for a history that is taken over.
void restart_history_note(struct restart_history *history, uint64_t now_ms);

// As after a start by hand: nothing counts any more.
void restart_history_reset(struct restart_history *history);

#endif
