// The connection of one of our processes (a gateway worker, cachesvc, metricsd) to the supervisor
// (common/proto.h). When it breaks, the process serves on with what it knows and the link comes
// back by itself.
#ifndef GW_COMMON_CONTROL_LINK_H
#define GW_COMMON_CONTROL_LINK_H

#include <stdint.h>
#include <uv.h>

#include "common/err.h"

struct control_link;
struct json_object;

// What the process hears. A handler that returns -1 with a sentence did not understand its message:
// it is logged, and the connection is made anew. NULL, of all but on_registered: the role has no
// such push; one that comes is logged and ignored, as an unknown one is.
struct control_link_handlers {
    // The supervisor knows us; the members of the answer are those of the role. Again after each
    // reconnect.
    int (*on_registered)(void *context, struct json_object *answer, struct err *err);
    int (*on_endpoints)(void *context, struct json_object *args, struct err *err);
    // The socket is the next one in `pipe`: uv_accept it.
    int (*on_slot_take)(void *context, const char *name, uv_pipe_t *pipe, struct err *err);
    int (*on_slot_give)(void *context, const char *name, struct err *err);
    int (*on_processes)(void *context, struct json_object *args, struct err *err);
};

// Connects to the socket at `path` (copied) and registers as `role` ("gateway", "cachesvc",
// "metricsd"), now and whenever it has to. role and handlers are borrowed for the life of the link.
struct control_link *control_link_open(uv_loop_t *loop, const char *path, const char *role,
                                       const struct control_link_handlers *handlers, void *context);

// Tells that nothing older than this generation of endpoints is picked any more.
void control_link_acknowledge(struct control_link *link, uint64_t generation);

// Something for the supervisor's log, such as "redis", "connect", "127.0.0.1:6379". The text may be
// another program's: it is made safe (foreign_text.h) and cut. Not connected: nothing is sent, now
// or later; the process has its own log.
void control_link_event(struct control_link *link, const char *source, const char *name,
                        const char *text);

// No handler is called after this; the memory goes with a later turn of the loop. NULL is allowed.
void control_link_close(struct control_link *link);

#endif
