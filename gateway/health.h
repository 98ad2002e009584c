// GET /health/live and /health/ready: for whoever balances or restarts us.
#ifndef GW_GATEWAY_HEALTH_H
#define GW_GATEWAY_HEALTH_H

#include <stdbool.h>

#include "span.h"

struct exchange;
struct server;

// Answers when the normalised path is one of ours; then the request may be gone. false: it is not.
bool health_answer(struct server *server, struct exchange *exchange, struct span path,
                   struct span method);

#endif
