// Receives what supervised processes say about themselves.
//
// Not its job: to know the processes. The sender's pid comes from the kernel (SCM_CREDENTIALS),
// never from the text. The invariant: a datagram can cost no more than its own reading; its fds are
// closed at once, which is also what a BARRIER=1 waits for.

#include "notify_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/home.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/usock.h"

// SCM_MAX_FD of the kernel: as many as one message can carry, so that none arrives cut off.
enum { DATAGRAMS_A_TURN = 64, FDS_MAX = 253, WARN_EVERY_MS = 10000 };

struct notify_socket {
    uv_poll_t poll;
    int fd;
    bool closing;
    notify_socket_fn on_message;
    void *context;
    uint64_t warned_ms;
};

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(FDS_MAX * sizeof(int))];
};

static void close_fds(const struct cmsghdr *control)
{
    size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
        int fd;
        memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
        close(fd);
    }
}

// The sender's pid; 0: the kernel did not tell. Closes all fds.
static pid_t read_control(struct msghdr *message)
{
    struct ucred sender = {0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_RIGHTS)
            close_fds(c);
        else if (c->cmsg_type == SCM_CREDENTIALS)
            memcpy(&sender, CMSG_DATA(c), sizeof sender);
    }
    return sender.pid;
}

static void complain(struct notify_socket *notify, pid_t pid, const char *why)
{
    uint64_t now = uv_now(notify->poll.loop);
    if (notify->warned_ms > 0 && now - notify->warned_ms < WARN_EVERY_MS)
        return;
    notify->warned_ms = now;
    log_warn("notify: message of pid %d ignored: %s", (int)pid, why);
}

static void on_datagram(struct notify_socket *notify, pid_t pid, const char *text, size_t length)
{
    struct notify_message message;
    struct err err;

    if (pid <= 0)
        complain(notify, pid, "its sender is unknown");
    else if (notify_message_parse(text, length, &message, &err) == -1)
        complain(notify, pid, err.text);
    else
        notify->on_message(notify->context, pid, &message);
}

// false: nothing is there.
static bool receive_one(struct notify_socket *notify)
{
    char text[NOTIFY_MESSAGE_MAX + 1]; // one more, so that a longer message shows
    union control control;
    struct iovec part = {text, sizeof text};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(notify->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (length == -1)
        return errno == EINTR;
    on_datagram(notify, read_control(&message), text, (size_t)length);
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct notify_socket *notify = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < DATAGRAMS_A_TURN && !notify->closing; ++i)
        if (!receive_one(notify))
            return;
}

struct notify_socket *notify_socket_open(uv_loop_t *loop, int fd, notify_socket_fn on_message,
                                         void *context, struct err *err)
{
    struct notify_socket *notify;
    int result;

    if (fd < 0 && (fd = usock_bind_datagram(home_path(HOME_NOTIFY), err)) == -1)
        return NULL;
    notify = mem_zalloc(1, sizeof *notify);
    notify->fd = fd;
    notify->on_message = on_message;
    notify->context = context;
    if ((result = uv_poll_init(loop, &notify->poll, fd)) != 0) {
        err_set(err, "notify socket: %s", uv_strerror(result));
        close(fd);
        free(notify);
        return NULL;
    }
    notify->poll.data = notify;
    uv_poll_start(&notify->poll, UV_READABLE, on_readable);
    return notify;
}

int notify_socket_fd(const struct notify_socket *notify)
{
    return notify->fd;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void notify_socket_close(struct notify_socket *notify)
{
    if (!notify || notify->closing)
        return;
    notify->closing = true;
    uv_close((uv_handle_t *)&notify->poll, on_closed);
    close(notify->fd);
}
