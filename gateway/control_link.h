// The worker's connection to the supervisor (common/proto.h). When it breaks, the worker serves on
// with what it knows and the link comes back by itself.
#ifndef GW_GATEWAY_CONTROL_LINK_H
#define GW_GATEWAY_CONTROL_LINK_H

#include <stdint.h>
#include <uv.h>

#include "common/err.h"

struct control_link;
struct json_object;

// What the worker hears. A handler that returns -1 with a sentence did not understand its message:
// it is logged, and the connection is made anew.
struct control_link_handlers {
    // The supervisor knows us: {column, endpoints, document}. Again after each reconnect.
    int (*on_registered)(void *context, struct json_object *answer, struct err *err);
    int (*on_endpoints)(void *context, struct json_object *args, struct err *err);
    // The socket is the next one in `pipe`: uv_accept it.
    int (*on_slot_take)(void *context, const char *name, uv_pipe_t *pipe, struct err *err);
    int (*on_slot_give)(void *context, const char *name, struct err *err);
};

// Connects to the socket at `path` (copied) and registers, now and whenever it has to.
struct control_link *control_link_open(uv_loop_t *loop, const char *path,
                                       const struct control_link_handlers *handlers, void *context);

// Tells that nothing older than this generation of endpoints is picked any more.
void control_link_acknowledge(struct control_link *link, uint64_t generation);

// No handler is called after this; the memory goes with a later turn of the loop. NULL is allowed.
void control_link_close(struct control_link *link);

#endif
