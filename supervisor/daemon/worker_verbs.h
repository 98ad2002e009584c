// What our own processes say on control.sock (common/proto.h): one handler a verb.
#ifndef GW_SUPERVISOR_WORKER_VERBS_H
#define GW_SUPERVISOR_WORKER_VERBS_H

#include "request.h"

struct worker;

// The process at the other end, known by its pid; NULL: none of ours.
struct worker *worker_verbs_speaker(const struct request *request);

// For a speaker that is a program of ours.
void worker_verbs_register(const struct request *request);
void worker_verbs_event(const struct request *request);
void worker_verbs_endpoints_ack(const struct request *request);

#endif
