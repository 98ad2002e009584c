// A rolling reload as a pure plan: which slot takes its next step, and what an event means for the
// whole. Time and processes are elsewhere (reload.c).
//
//   per slot:  PENDING ─▶ STARTING ─▶ HOLDING ─▶ SWITCHING ─▶ DRAINING ─▶ STOPPING ─▶ DONE
//                            └────────────┴─▶ FAILED: the plan aborts
//
// STARTING   the new process runs, the old one serves
// HOLDING    the new one is ready and has to stay so for min_ready
// SWITCHING  the new endpoint set is pushed, not yet acknowledged by every gateway worker
// DRAINING   the old one gets nothing new; what it works on goes to its end
// STOPPING   the old one got its stop signal
//
// After a failure no new slot begins; slots before SWITCHING are cancelled, slots beyond it go on
// to DONE, and are then to be rolled back by a plan of their own (reload_plan_done lists them).
#ifndef GW_SUPERVISOR_RELOAD_PLAN_H
#define GW_SUPERVISOR_RELOAD_PLAN_H

#include <stdbool.h>
#include <stddef.h>

enum reload_step {
    RELOAD_STAY, // in the table: no change
    RELOAD_PENDING,
    RELOAD_STARTING,
    RELOAD_HOLDING,
    RELOAD_SWITCHING,
    RELOAD_DRAINING,
    RELOAD_STOPPING,
    RELOAD_DONE,
    RELOAD_FAILED,
    RELOAD_STEPS
};

enum reload_event {
    RELOAD_EV_BEGIN,
    RELOAD_EV_READY,    // the new process is ready
    RELOAD_EV_HELD,     // min_ready is over
    RELOAD_EV_SWITCHED, // every gateway worker acknowledged
    RELOAD_EV_DRAINED,  // in-flight is zero, or the deadline came
    RELOAD_EV_GONE,     // the old process has ended
    RELOAD_EV_LOST,     // the new process ended or was not ready in time
    RELOAD_EVENTS
};

struct reload_plan {
    enum reload_step *steps;
    size_t count;
    size_t parallel;
    bool failed;
};

// All slots pending. parallel >= 1. Freed with reload_plan_fini.
void reload_plan_init(struct reload_plan *plan, size_t count, size_t parallel);
void reload_plan_fini(struct reload_plan *plan);

// Takes an event for a slot; returns the step it is in now (also when the event changed nothing).
enum reload_step reload_plan_event(struct reload_plan *plan, size_t slot, enum reload_event event);

// A slot that may begin now. False when none may.
bool reload_plan_next(const struct reload_plan *plan, size_t *slot);

// Nothing is under way any more: every slot is done, or the plan failed and none is between.
bool reload_plan_finished(const struct reload_plan *plan);

const char *reload_step_name(enum reload_step step);

#endif
