// /api/monitoring/...: a route of the gateway's own, before the file's, to metricsd.
#ifndef GW_GATEWAY_MONITORING_H
#define GW_GATEWAY_MONITORING_H

#include <stdbool.h>

#include "common/gateway_config.h"
#include "endpoints.h"
#include "span.h"

struct exchange;
struct request_facts;

// The way to metricsd. Zeroed: there is none, and everything is answered with 503.
struct monitoring {
    struct upstream_config config;
    char *address; // config's only server
    struct upstream upstream;
    const struct upstreams *upstreams; // the others; NULL: not open
};

// `upstreams` is borrowed, `socket_path` copied. On failure nothing is left to close.
int monitoring_open(struct monitoring *monitoring, const struct upstreams *upstreams,
                    const char *socket_path, struct err *err) GW_MUST_USE;
void monitoring_close(struct monitoring *monitoring); // one that is not open is allowed

// Answers, or begins to, when the normalised path is one of these; then the request may be gone.
// false: it is not.
bool monitoring_answer(struct exchange *exchange, const struct request_facts *facts,
                       struct span path);

#endif
