// Listening sockets: inherited ones of our slot, ones taken over from a slot without a worker, or
// our own when started by hand.
#ifndef GW_GATEWAY_LISTENER_H
#define GW_GATEWAY_LISTENER_H

#include <stdbool.h>
#include <uv.h>

#include "common/err.h"

struct clients;
struct listen_config;
struct listener;

struct listeners {
    uv_loop_t *loop;
    struct clients *clients;
    struct listener *first;
};

void listeners_init(struct listeners *listeners, uv_loop_t *loop, struct clients *clients);

// Accepts on a listening socket, which it takes (closed on failure too). `name` is how
// listeners_close finds it; copied.
int listeners_open(struct listeners *listeners, int fd, const char *name,
                   struct err *err) GW_MUST_USE;

// The same for the next socket that came over an IPC pipe: one that is taken over for a while.
int listeners_open_received(struct listeners *listeners, uv_pipe_t *pipe, const char *name,
                            struct err *err) GW_MUST_USE;

// Binds a socket of our own, shared with other processes that do the same (SO_REUSEPORT). "*" is
// one socket for IPv6 and IPv4, or for IPv4 where the system has no IPv6.
int listeners_bind(struct listeners *listeners, const struct listen_config *config,
                   struct err *err) GW_MUST_USE;

// Stops accepting on the socket of that name; false when there is none. The socket itself lives on
// with whoever else has it.
bool listeners_close(struct listeners *listeners, const char *name);
// Those that were taken over.
void listeners_close_received(struct listeners *listeners);

void listeners_close_all(struct listeners *listeners);

#endif
