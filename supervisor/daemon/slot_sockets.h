// The gateway's slot sockets: opened once a slot, kept by the keeper, closed when the slot goes.
#ifndef GW_SUPERVISOR_SLOT_SOCKETS_H
#define GW_SUPERVISOR_SLOT_SOCKETS_H

#include "app.h"

// Gives the slot a socket for each listener of these settings, beside those it has; one that an
// earlier supervisor left is taken over. -1 with "127.0.0.1:5055 is in use by another process".
int slot_sockets_open(struct app *app, struct slot *slot, const struct gateway_config *gateway,
                      struct err *err) GW_MUST_USE;

// Closes the sockets that the app's settings do not name: what a reload that succeeded left behind,
// or one that failed had opened. A worker that still has one accepts on it until it drains.
void slot_sockets_drop_others(struct app *app, struct slot *slot);

// The slot's socket for an address, as it stands in the file; -1: there is none.
int slot_socket_fd(const struct slot *slot, const char *address);

// New connections go to the first `count` slots only.
void slot_sockets_steer(struct app *app, size_t count);

// New connections go to all slots again.
void slot_sockets_unsteer(struct app *app);

// Closes the slot's sockets, here and in the keeper.
void slot_sockets_close(struct app *app, struct slot *slot);

#endif
