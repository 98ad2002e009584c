// The gateway's slot sockets: opened once a slot, kept by the keeper, closed when the slot goes.
#ifndef GW_SUPERVISOR_SLOT_SOCKETS_H
#define GW_SUPERVISOR_SLOT_SOCKETS_H

#include "app.h"

// Opens what the slot does not have yet, a socket for each listener of the app's settings; one that
// an earlier supervisor left is taken over. -1 with "127.0.0.1:5055 is in use by another process".
int slot_sockets_open(struct app *app, struct slot *slot, struct err *err) GW_MUST_USE;

// New connections go to the first `count` slots only.
void slot_sockets_steer(struct app *app, size_t count);

// New connections go to all slots again.
void slot_sockets_unsteer(struct app *app);

// Closes the slot's sockets, here and in the keeper.
void slot_sockets_close(struct app *app, struct slot *slot);

#endif
