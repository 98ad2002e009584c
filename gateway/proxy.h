// The one handler for all requests: check, normalise, route, forward.
#ifndef GW_GATEWAY_PROXY_H
#define GW_GATEWAY_PROXY_H

#include <h2o.h>
#include <stdbool.h>

#include "span.h"

struct exchange;
struct request_facts;
struct server;
struct upstream;

// `path` is the one path ("/") of the server's host; `server` is borrowed.
void proxy_install(h2o_pathconf_t *path, struct server *server);

// Writes the request down as it goes to the upstream, with this path, for exchange_fetch. false: it
// cannot go anywhere and is answered; it may be gone.
bool proxy_prepare(struct exchange *exchange, const struct request_facts *facts,
                   struct upstream *upstream, struct span path);

#endif
