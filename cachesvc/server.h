// The server on its loop: the listener, the connections, the timers.
#ifndef GW_CACHESVC_SERVER_H
#define GW_CACHESVC_SERVER_H

#include <stdbool.h>
#include <uv.h>

#include "commands.h"
#include "common/err.h"
#include "connection.h"
#include "touches.h"

// Public for connection.c, which shares the buffers.
struct server {
    uv_loop_t *loop;
    struct service service;
    size_t command_max; // bytes of one command
    size_t clients_max;
    bool is_stopping;
    uint64_t now_ms; // clock_wall_ms, for the commands of one read

    char input[READ_SIZE];   // of the connection that is being read
    struct buf out;          // replies of the connection that is being served
    struct connection *jobs; // those with one, in turn

    uv_pipe_t listener;
    uv_timer_t housekeeping, waiting, grace;
    uv_idle_t working; // while there are jobs
    uint64_t commands_before;
    struct touches touches;
};

// Serves the store on a listening socket, which it takes. The store is borrowed until the loop has
// run out. -1: the loop has to run once more for the handles to close.
int server_open(struct server *server, uv_loop_t *loop, struct store *store, int fd,
                struct err *err) GW_MUST_USE;

// Accepts and reads no more, answers what was read, and closes everything; the loop runs out then.
// For those who do not take their replies the time is limited. May be called again.
void server_stop(struct server *server);

// After the loop has run out, which has to run once more after it.
void server_fini(struct server *server);

// For connections: one was blocked or is so no more; there is something due.
void server_on_blocked(struct server *server);
void server_answer_due(struct server *server);

#endif
