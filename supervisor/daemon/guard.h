// The neighbour rule: no connection waits in a slot whose worker does not accept. A slot without a
// ready worker, or whose worker's loop stands still while connections wait, for 200 ms: its sockets
// are handed to the worker of another slot, and taken back when its own worker accepts again.
#ifndef GW_SUPERVISOR_GUARD_H
#define GW_SUPERVISOR_GUARD_H

#include "daemon.h"

struct guard;

struct guard *guard_new(struct daemon *daemon);

// There is a gateway: it is watched until there is none.
void guard_wake(struct guard *guard);

void guard_stop(struct guard *guard);

#endif
