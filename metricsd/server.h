// HTTP/1.1 on a Unix socket, by libh2o. What is answered comes from a function that does not know
// libh2o. Nothing that a peer does or leaves undone ends more than its connection.
#ifndef GW_METRICSD_SERVER_H
#define GW_METRICSD_SERVER_H

#include <stdint.h>
#include <uv.h>

#include "answer.h"
#include "common/err.h"

struct server;

// Fills the answer; called once a request.
typedef void server_answer(void *context, const struct request *request, struct answer *answer);

// Serves on a listening socket (taken, also on failure). NULL with err.
struct server *server_open(uv_loop_t *loop, int listener, server_answer *callback, void *context,
                           struct err *err) GW_MUST_USE;

// Takes no more connections and lets those that are there end: idle ones at once, the others with
// their answer or after two seconds. Then on_stopped is called, possibly from within.
void server_stop(struct server *server, void (*on_stopped)(void *context));

// After on_stopped. Memory of closing handles goes with later turns of the loop, which must be run
// until nothing is left in it, then server_free.
void server_close(struct server *server);
void server_free(struct server *server); // NULL is allowed

#endif
