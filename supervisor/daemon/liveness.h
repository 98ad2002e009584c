// Whether a worker that is online still does its work, as far as its app says how to see that:
//   health    http, tcp or exec is tried every `interval`; `failures` failed tries in a row end it
//   watchdog  it has to send WATCHDOG=1 to NOTIFY_SOCKET at least that often
// Not before it is ready: that is readiness.h's.
#ifndef GW_SUPERVISOR_LIVENESS_H
#define GW_SUPERVISOR_LIVENESS_H

struct liveness;
struct worker;

// Looks on until it is stopped, and calls worker_fail at most once. NULL: there is nothing to look
// at.
struct liveness *liveness_start(struct worker *worker);

// It said WATCHDOG=1.
void liveness_notified(struct liveness *liveness);

// No call of worker_fail comes from it any more. NULL is allowed.
void liveness_stop(struct liveness *liveness);

#endif
