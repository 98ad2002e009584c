// The gateway's listening sockets: one SO_REUSEPORT socket a worker slot, opened once by the
// supervisor and inherited by each generation of the slot. All sockets of one address are a group,
// over which the kernel spreads new connections, in the order they were opened.
#ifndef GW_SUPERVISOR_LISTENERS_H
#define GW_SUPERVISOR_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

// Bound and listening, non-blocking, close-on-exec. host and port as listen_address_parse gives
// them: "" and "*" are one socket for IPv6 and IPv4, [::], or 0.0.0.0 where the system has no IPv6;
// other IPv6 addresses are for IPv6 only. `first`: no socket of ours has this
// address yet, so nobody else may have it either. The fd, or -1 with
// "127.0.0.1:5055 is in use by another process".
int slot_socket_open(const char *host, int port, bool first, struct err *err) GW_MUST_USE;

// New connections go to the first `count` sockets of fd's group only (count >= 1), from now on;
// what waits in the queues of the others stays there. Replaces an earlier steering.
int slot_group_steer(int fd, unsigned count, struct err *err) GW_MUST_USE;

// New connections go to all sockets of fd's group again. No steering: nothing to do.
int slot_group_unsteer(int fd, struct err *err) GW_MUST_USE;

// A connection waits to be accepted.
bool slot_queue_waiting(int fd);

#endif
