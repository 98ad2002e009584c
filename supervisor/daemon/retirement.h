// How a worker that serves is taken out without losing a request:
//   SWITCHING  the endpoint set without it is pushed; until every gateway worker acknowledged it
//   DELAYING   reload.drain_delay, for balancers in front of us
//   DRAINING   until nothing is in flight to it, or reload.drain_timeout
//   then its stop signal
// A worker that failed goes the same way, but stays ONLINE until its stop signal, for it comes
// back. A gateway worker drains by itself on its stop signal, and an app without endpoint has
// nothing to drain: both get it at once.
#ifndef GW_SUPERVISOR_RETIREMENT_H
#define GW_SUPERVISOR_RETIREMENT_H

#include "worker.h"

enum retirement_phase {
    RETIREMENT_SWITCHING,
    RETIREMENT_DELAYING,
    RETIREMENT_DRAINING,
    RETIREMENT_STOPPING
};

// Begins; worker->retirement is set until the worker's process has ended. on_phase (may be NULL) is
// told of each phase entered.
void retirement_start(struct worker *worker,
                      void (*on_phase)(struct worker *worker, enum retirement_phase phase));

// The same for a worker that is to be restarted because it failed: worker_end_failed ends it.
void retirement_start_failed(struct worker *worker);

// Forgets it, when its process has ended on its own. NULL is allowed.
void retirement_cancel(struct retirement *retirement);

#endif
