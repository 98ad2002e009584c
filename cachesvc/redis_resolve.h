// Finding the address of a configured Redis by its name, without holding the loop up.
#ifndef GW_CACHESVC_REDIS_RESOLVE_H
#define GW_CACHESVC_REDIS_RESOLVE_H

#include <uv.h>

#include "common/err.h"
#include "redis_connection.h"

struct redis_resolve;

// on_found comes once, with an address (numeric; its port is `port`), or with NULL and why; never
// from within this call. NULL with err: it cannot even be asked.
struct redis_resolve *redis_resolve_start(uv_loop_t *loop, const char *host, int port,
                                          void (*on_found)(void *context,
                                                           const struct redis_address *address,
                                                           const char *reason),
                                          void *context, struct err *err) GW_MUST_USE;

// on_found does not come any more; the memory goes when the system has answered. NULL is allowed,
// one whose on_found has come is not.
void redis_resolve_cancel(struct redis_resolve *resolve);

#endif
