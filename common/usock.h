// Unix stream sockets: bind, connect, who is there, file descriptors by SCM_RIGHTS. Plain system
// calls, no event loop.
#ifndef GW_COMMON_USOCK_H
#define GW_COMMON_USOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

enum { USOCK_FDS_MAX = 16 };

// A listening stream socket at `path`, mode 0600, non-blocking and close-on-exec. A leftover socket
// at that path which nobody listens on is replaced; a live one is an error. Returns the fd or -1.
int usock_listen(const char *path, struct err *err) GW_MUST_USE;

// A bound datagram socket (for NOTIFY_SOCKET), mode 0600, non-blocking, close-on-exec, with
// SO_PASSCRED; what stood at that path is replaced. Returns the fd or -1.
int usock_bind_datagram(const char *path, struct err *err) GW_MUST_USE;

// A connected blocking stream socket, close-on-exec. Returns the fd or -1 (errno is kept, so that
// the caller can tell ENOENT and ECONNREFUSED: nobody there).
int usock_connect(const char *path, struct err *err) GW_MUST_USE;

// Who is at the other end (SO_PEERCRED). pid, uid may be NULL.
int usock_peer(int fd, pid_t *pid, uid_t *uid, struct err *err) GW_MUST_USE;

// Whether the other end has this group, as its own or as a supplementary one (SO_PEERGROUPS).
bool usock_peer_has_group(int fd, gid_t group);

// Sends all bytes in one message, with fds (count may be 0). EINTR is retried, a full socket is an
// error (EAGAIN for a non-blocking one). Borrows the fds.
int usock_send(int fd, const void *bytes, size_t length, const int *fds, size_t count,
               struct err *err) GW_MUST_USE;

// Receives one message into bytes; its fds (close-on-exec) into fds[USOCK_FDS_MAX], their number
// into *count; the caller owns them. Returns the number of bytes, 0 at the end, -1 on an error
// (errno EAGAIN: nothing there). More fds than fit are closed and make it an error.
ssize_t usock_receive(int fd, void *bytes, size_t size, int *fds, size_t *count,
                      struct err *err) GW_MUST_USE;

#endif
