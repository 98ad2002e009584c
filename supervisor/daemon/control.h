// control.sock: connections, lines, answers. What a command does is commands.c's; the protocol is
// in common/proto.h. A peer is let in by its uid (ours or root) or its group (that of GWCTL_GROUP),
// and a worker is known by its pid. There is room for 64 clients: whoever comes then takes the
// place of the one that has been silent the longest, if that has nothing under way, or is refused.
#ifndef GW_SUPERVISOR_CONTROL_H
#define GW_SUPERVISOR_CONTROL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon.h"

struct control;
struct control_connection;

// Takes fd (a listening socket). Never fails on a good fd. Members of `group` may do what the owner
// may; HOME_NO_GROUP: there is none.
struct control *control_open(struct daemon *daemon, int fd, gid_t group);

// Closes the listening socket and every connection, after what is still to be written went out.
void control_close(struct control *control);

struct daemon *control_daemon(struct control_connection *connection);
pid_t control_peer_pid(const struct control_connection *connection);

// Messages; `message` and `more` are taken. Sending to a connection that is closing does nothing;
// a peer that does not read is cut off when too much waits for it, so that nobody holds us up.
void control_send(struct control_connection *connection, struct json_object *message);
void control_progress(struct control_connection *connection, int64_t id, const char *text);
void control_answer(struct control_connection *connection, int64_t id, struct json_object *more);
void control_refuse(struct control_connection *connection, int64_t id, const char *error);

// A push with file descriptors, at once or not at all: false when the peer does not read.
bool control_send_fd(struct control_connection *connection, struct json_object *message, int fd);

// Closes the connection; what was not sent yet is lost. It is gone with a later turn of the loop.
void control_cut(struct control_connection *connection);

// The gateway worker or metricsd at the other end; set by `register`, NULL when its process has
// ended.
void control_set_worker(struct control_connection *connection, struct worker *worker);

struct worker *control_worker(const struct control_connection *connection);

// The endpoint generation the worker acknowledged last.
uint64_t control_acked(const struct control_connection *connection);
void control_set_acked(struct control_connection *connection, uint64_t generation);

// Every connection of a registered worker.
void control_each_worker(struct control *control,
                         void (*visit)(struct control_connection *connection, void *context),
                         void *context);

// From now on the connection is sent events as they happen.
void control_follow(struct control_connection *connection);

// Every connection that follows.
void control_each_follower(struct control *control,
                           void (*visit)(struct control_connection *connection, void *context),
                           void *context);

#endif
