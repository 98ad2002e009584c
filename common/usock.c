// Unix sockets over plain system calls.

#include "common/usock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"

static int fill_address(struct sockaddr_un *address, const char *path, struct err *err)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path)
        return err_set(err, "%s: too long for a socket (at most %zu bytes)", path,
                       sizeof address->sun_path - 1);
    strcpy(address->sun_path, path);
    return 0;
}

static int close_keeping_errno(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static bool somebody_listens(const char *path)
{
    int fd = usock_connect(path, NULL);
    if (fd == -1)
        return false;
    close(fd);
    return true;
}

static int bind_private(int fd, const char *path, struct err *err)
{
    struct sockaddr_un address;
    if (fill_address(&address, path, err) == -1)
        return -1;
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == -1)
        return err_set_errno(err, "%s", path);
    if (chmod(path, 0600) == -1)
        return err_set_errno(err, "%s", path);
    return 0;
}

int usock_listen(const char *path, struct err *err)
{
    if (somebody_listens(path))
        return err_set(err, "%s: another process listens there", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return err_set_errno(err, "%s", path);
    if (bind_private(fd, path, err) == -1)
        return close_keeping_errno(fd);
    if (listen(fd, 128) == -1) {
        err_set_errno(err, "%s", path);
        return close_keeping_errno(fd);
    }
    return fd;
}

int usock_bind_datagram(const char *path, struct err *err)
{
    int on = 1;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return err_set_errno(err, "%s", path);
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == -1) {
        err_set_errno(err, "%s", path);
        return close_keeping_errno(fd);
    }
    if (bind_private(fd, path, err) == -1)
        return close_keeping_errno(fd);
    return fd;
}

int usock_connect(const char *path, struct err *err)
{
    struct sockaddr_un address;
    if (fill_address(&address, path, err) == -1)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return err_set_errno(err, "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == -1) {
        err_set_errno(err, "%s", path);
        return close_keeping_errno(fd);
    }
    return fd;
}

int usock_peer(int fd, pid_t *pid, uid_t *uid, struct err *err)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1)
        return err_set_errno(err, "peer credentials");
    if (pid)
        *pid = peer.pid;
    if (uid)
        *uid = peer.uid;
    return 0;
}

bool usock_peer_has_group(int fd, gid_t group)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.gid == group)
        return true;
    // Asked with no room, it says how much it needs.
    size = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return false;
    gid_t *groups = mem_alloc(size);
    bool has = false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
        for (size_t i = 0; i < size / sizeof *groups; i++)
            has = has || groups[i] == group;
    }
    free(groups);
    return has;
}

int usock_send(int fd, const void *bytes, size_t length, const int *fds, size_t count,
               struct err *err)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * USOCK_FDS_MAX)];
    } control = {0};
    struct iovec part = {(void *)bytes, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    if (count > USOCK_FDS_MAX)
        return err_set(err, "too many descriptors in one message");
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
    }
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (sent == -1 && errno == EINTR);
    if (sent == -1)
        return err_set_errno(err, "send");
    if ((size_t)sent != length)
        return err_set(err, "send: only %zd of %zu bytes went out", sent, length);
    return 0;
}

static int take_fds(struct msghdr *message, int *fds, size_t *count)
{
    *count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        *count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), *count * sizeof(int));
    }
    return message->msg_flags & MSG_CTRUNC ? -1 : 0;
}

ssize_t usock_receive(int fd, void *bytes, size_t size, int *fds, size_t *count, struct err *err)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * USOCK_FDS_MAX)];
    } control;
    struct iovec part = {bytes, size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t received;

    *count = 0;
    do
        received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (received == -1 && errno == EINTR);
    if (received == -1)
        return err_set_errno(err, "receive");
    if (take_fds(&message, fds, count) == -1) {
        for (size_t i = 0; i < *count; i++)
            close(fds[i]);
        *count = 0;
        return err_set(err, "receive: too many descriptors in one message");
    }
    return received;
}
