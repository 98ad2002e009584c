// Proof that a starting worker can do its work. In this order, and nothing but these:
//   1. the app's explicit `ready`: http, tcp, exec, log; then nothing else counts
//   2. READY=1 on NOTIFY_SOCKET (for the gateway: only this)
//   3. a Node process's process.send('ready') (with `wait_ready`: nothing behind this)
//   4. a TCP connection to its port
//   5. for apps with none of these: it was executed and has lived for 500 ms
// The worker's ready timer ends the wait; this module never gives up by itself.
#ifndef GW_SUPERVISOR_READINESS_H
#define GW_SUPERVISOR_READINESS_H

#include <stddef.h>

struct readiness;
struct worker;

// Begins to look; calls worker_ready at most once. Needs worker->process.
struct readiness *readiness_start(struct worker *worker);

// What the process tells. Each may prove it.
void readiness_executed(struct readiness *readiness);
void readiness_line(struct readiness *readiness, const char *line, size_t length);
void readiness_notified(struct readiness *readiness);
void readiness_node_ready(struct readiness *readiness);

// The literal of that text among what proves readiness, as worker_ready gets it; NULL: none.
const char *readiness_proof(const char *word);

// Stops looking; no call of worker_ready comes from it any more. NULL is allowed.
void readiness_cancel(struct readiness *readiness);

#endif
