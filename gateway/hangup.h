// Notices that a client went away while its request is being worked on; libh2o does not, since it
// stops reading then.
#ifndef GW_GATEWAY_HANGUP_H
#define GW_GATEWAY_HANGUP_H

#include <uv.h>

struct hangup;

// Watches a duplicate of fd. on_gone comes at most once, never from within this call. NULL when the
// system refuses (no descriptor left): then nobody watches.
struct hangup *hangup_watch(uv_loop_t *loop, int fd, void (*on_gone)(void *context), void *context);

// Ends the watch; after it on_gone does not come. NULL is allowed.
void hangup_close(struct hangup *hangup);

#endif
