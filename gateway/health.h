// GET /health/live, /ready, /startup and /status: for whoever balances, restarts or looks at us.
#ifndef GW_GATEWAY_HEALTH_H
#define GW_GATEWAY_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "span.h"

struct exchange;
struct request_facts;

enum health_document { HEALTH_READY, HEALTH_STATUS, HEALTH_DRAFT, HEALTH_DOCUMENTS };

// What was found out last, health.c's own. It counts for a second, or until something that decides
// has changed: however often we are asked, we look once.
struct health {
    uint64_t started_ms; // clock_mono_ms
    uint64_t looked_ms;  // uv_now; 0: never
    bool was_draining;
    uint64_t generation; // of the endpoints
    uint32_t redis;      // the segment's word
    bool is_available;   // 200, not 503
    struct buf documents[HEALTH_DOCUMENTS];
};

void health_init(struct health *health);
void health_fini(struct health *health);

// Answers when the normalised path is one of these; then the request may be gone. false: it is not.
bool health_answer(struct exchange *exchange, const struct request_facts *facts, struct span path);

#endif
