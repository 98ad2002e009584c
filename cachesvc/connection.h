// A client's connection: bytes in, commands, bytes out.
#ifndef GW_CACHESVC_CONNECTION_H
#define GW_CACHESVC_CONNECTION_H

#include <uv.h>

#include "commands.h"

struct server;

// All that a read of the loop needs; what is left over is copied to the connection it belongs to.
enum { READ_SIZE = 64 << 10 };

// Open until it is closed by its peer, by an error or by the server; frees itself then.
struct connection;

// Takes the next connection of the listener. When it cannot be had it is closed at once.
void connection_accept(struct server *server, uv_stream_t *listener);

// Reads no more, answers what was read, then closes.
void connection_end(struct connection *connection);

// Closes now.
void connection_close(struct connection *connection);

// The reply to what the connection was blocked for is in server->out.
void connection_unblock(struct connection *connection);

struct connection *connection_of_waiter(struct waiter *waiter);
struct connection *connection_of_session(struct session *session);

// One step of the job of a connection that has one. It joins the end of server->jobs again, or goes
// on with its other commands.
void connection_step_job(struct connection *connection);

#endif
