// The client connections of a worker: accepting, counting, and ending them from outside, which
// libh2o has no call for: at last when it does not send what it has to (patience.h).
#ifndef GW_GATEWAY_CLIENTS_H
#define GW_GATEWAY_CLIENTS_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "patience.h"
#include "span.h"

struct exchange;
struct ledger;
struct state_column;

// One connection. libh2o owns its socket; we own the libuv handle under it.
struct client {
    uv_tcp_t tcp; // first: libuv's stream
    struct clients *clients;
    h2o_socket_t *socket;
    h2o_linklist_t link;
    struct exchange *exchange; // of the request that is being answered, or NULL
    struct patience patience;  // with it, while there is no exchange
    size_t peer_length;        // 0: not asked for yet
    char peer[INET6_ADDRSTRLEN];
};

struct clients {
    h2o_accept_ctx_t *accept; // borrowed
    struct patience_limits limits;
    uv_timer_t sweep; // looks at all of them; runs while there are any
    struct state_column *column;
    struct ledger *ledger; // borrowed
    h2o_linklist_t list;
    size_t count;
};

void clients_init(struct clients *clients, h2o_accept_ctx_t *accept,
                  const struct patience_limits *limits, struct state_column *column,
                  struct ledger *ledger);

// No client may be left.
void clients_close(struct clients *clients);

// Accepts one connection that is waiting at a listening stream (which the caller was told of).
void clients_accept(struct clients *clients, uv_stream_t *listener);

// The same for a connected socket of our own, which it takes: a client of this machine, 127.0.0.1.
void clients_adopt(struct clients *clients, int fd);

// The connection that a request came on.
struct client *client_of_request(h2o_req_t *req);

// The peer's address as text, for the life of the connection. Empty when it cannot be had.
struct span client_peer(struct client *client);

// Nothing received, nothing to answer?
bool client_is_idle(const struct client *client);

// Ends an idle connection as if the client had closed it; libh2o then closes our side. A request
// that came meanwhile is still read and answered.
void client_close_idle(struct client *client);

// Breaks the connection: what is being written fails.
void client_break(struct client *client);

// Bytes of ours that the client's side has not taken, in our memory or the kernel's.
size_t client_unsent(const struct client *client);

// When libh2o closes the connection, the client gets a reset and not an orderly end.
void client_reset_on_close(struct client *client);

// Calls back for each connection; the callback may make libh2o close the one it got.
void clients_each(struct clients *clients, void (*callback)(struct client *client, void *context),
                  void *context);

#endif
