// A listening Unix socket of the home that outlives everybody who accepts on it: opened once, held
// by the keeper, so that a client waits for the next process instead of being refused.
#ifndef GW_SUPERVISOR_KEPT_SOCKET_H
#define GW_SUPERVISOR_KEPT_SOCKET_H

#include "common/err.h"
#include "common/home.h"

struct keeper_link;

// Opens *fd unless it is open (>= 0): takes over what an earlier supervisor left under this name,
// or listens at the file's path. -1 with err; *fd then is -1 or what the keeper does not hold.
int kept_socket_open(int *fd, const char *name, enum home_file file, struct keeper_link *keeper,
                     struct err *err) GW_MUST_USE;

// Closes it, here and in the keeper, and removes the file. *fd is -1 afterwards; when it was so
// before, nothing happens.
void kept_socket_close(int *fd, const char *name, enum home_file file, struct keeper_link *keeper);

#endif
