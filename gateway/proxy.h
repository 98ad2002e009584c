// The one handler for all requests: check, normalise, route, forward.
#ifndef GW_GATEWAY_PROXY_H
#define GW_GATEWAY_PROXY_H

#include <h2o.h>

struct server;

// `path` is the one path ("/") of the server's host; `server` is borrowed.
void proxy_install(h2o_pathconf_t *path, struct server *server);

#endif
