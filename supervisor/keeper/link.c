// The keeper's end of the socket pair: fds come in by SCM_RIGHTS, exits go out.
//
// Not its job: to look after the supervisor. The invariant: no exit is lost and their order stays,
// also while nobody reads: the socket's own queue is full first, then `pending` grows (8 bytes
// each).

#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/proto.h"
#include "note.h"
#include "packet.h"
#include "store.h"

enum { PACKET_MAX = KEEPER_NAME_MAX + 64, PACKET_FDS = 4 };

struct exit_note {
    pid_t pid;
    int status;
};

static int ends[2]; // ours, the supervisor's
static bool update_wanted;
static struct exit_note *pending;
static size_t pending_first, pending_end, pending_room;

bool link_open(void)
{
    ends[0] = store_take(FD_KEEPER_END);
    ends[1] = store_take(FD_KEEPER);
    if (ends[0] >= 0 && ends[1] >= 0)
        return true;
    for (int i = 0; i < 2; ++i) // half a pair is of no use
        if (ends[i] >= 0)
            close(ends[i]);
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
}

bool link_hand_on(void)
{
    int copy = fcntl(ends[0], F_DUPFD_CLOEXEC, STORE_FIRST_FD);
    return copy >= 0 && store_put(FD_KEEPER_END, copy);
}

int link_fd(void)
{
    return ends[0];
}

int link_supervisors_end(void)
{
    return ends[1];
}

// --- in -----------------------------------------------------------------------------------------

static int collect_fds(struct msghdr *message, int fds[PACKET_FDS])
{
    int count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(c), (size_t)count * sizeof(int));
    }
    return count;
}

// Takes the fds.
static void handle_packet(char *text, size_t length, const int *fds, int count)
{
    char *name;
    enum packet_kind kind = packet_parse(text, length, &name);

    if (kind == PACKET_STORE && count == 1) {
        if (!store_put(name, fds[0]))
            note("error", "the store is full, %s is not kept", name);
        return;
    }
    for (int i = 0; i < count; ++i)
        close(fds[i]);
    if (kind == PACKET_REMOVE && count == 0)
        store_remove(name); // that it is not there is no news: both sides may remove it
    else if (kind == PACKET_UPDATE && count == 0)
        update_wanted = true;
    else
        note("warn", "malformed packet ignored (%zu bytes, %d fds)", length, count);
}

// false: nothing is there.
static bool receive_one(void)
{
    char text[PACKET_MAX + 1];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(PACKET_FDS * sizeof(int))];
    } control;
    struct iovec part = {text, PACKET_MAX};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    int fds[PACKET_FDS];
    ssize_t length = recvmsg(ends[0], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (length == -1)
        return errno == EINTR;
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        length = 0; // too long, or its fds did not all arrive: malformed
    handle_packet(text, (size_t)length, fds, collect_fds(&message, fds));
    return true;
}

void link_receive(void)
{
    while (receive_one())
        ;
}

bool link_update_wanted(void)
{
    bool wanted = update_wanted;
    update_wanted = false;
    return wanted;
}

// --- out ----------------------------------------------------------------------------------------

static bool send_exit(struct exit_note exit)
{
    char text[48];
    int length = snprintf(text, sizeof text, "EXIT %d %d", (int)exit.pid, exit.status);
    return send(ends[0], text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) != -1;
}

static void keep(struct exit_note exit)
{
    if (pending_end == pending_room) {
        size_t room = pending_room ? pending_room * 2 : 64;
        struct exit_note *grown = realloc(pending, room * sizeof *grown);
        if (!grown) {
            note("error", "out of memory: the exit of %d is not reported", (int)exit.pid);
            return;
        }
        pending = grown;
        pending_room = room;
    }
    pending[pending_end++] = exit;
}

void link_send_exit(pid_t pid, int status)
{
    struct exit_note exit = {pid, status};
    if (link_pending() || !send_exit(exit))
        keep(exit);
}

bool link_pending(void)
{
    return pending_first < pending_end;
}

void link_flush(void)
{
    while (link_pending() && send_exit(pending[pending_first]))
        ++pending_first;
    if (link_pending())
        return;
    free(pending);
    pending = NULL;
    pending_first = pending_end = pending_room = 0;
}
