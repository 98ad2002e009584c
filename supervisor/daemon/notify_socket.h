// The socket behind NOTIFY_SOCKET: who is ready, and what it says about itself.
#ifndef GW_SUPERVISOR_NOTIFY_SOCKET_H
#define GW_SUPERVISOR_NOTIFY_SOCKET_H

#include <sys/types.h>
#include <uv.h>

#include "common/err.h"
#include "notify_message.h"

struct notify_socket;

// pid is the sender as the kernel knows it; it may be a child of a process that we started, or
// anyone else of our uid: the receiver decides whom it believes.
typedef void (*notify_socket_fn)(void *context, pid_t pid, const struct notify_message *message);

// Binds home_path(HOME_NOTIFY), or takes `fd`, one that the keeper kept (-1: none; taken also on
// failure). NULL with err.
struct notify_socket *notify_socket_open(uv_loop_t *loop, int fd, notify_socket_fn on_message,
                                         void *context, struct err *err) GW_MUST_USE;

// To store it in the keeper; borrowed.
int notify_socket_fd(const struct notify_socket *notify);

// No callback comes any more; the path stays. NULL is allowed. The memory goes in the loop's close
// callback.
void notify_socket_close(struct notify_socket *notify);

#endif
