// Opens listening sockets and steers their groups.
//
// Not its job: which slot has which socket (slot_sockets.c).
//
// SO_REUSEPORT lets every process of our uid bind the same port, so a second supervisor, or an old
// one that somebody forgot, would silently get a share of the connections. Therefore the first
// socket of an address is tried without SO_REUSEPORT before: that bind fails when anybody listens
// there, whatever options he set. Between the two binds another process can still slip in; it then
// has the port with SO_REUSEPORT too, which only another gateway's supervisor does, in the same
// microseconds.

#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static void fill_v6_any(int port, union address *address)
{
    memset(address, 0, sizeof *address);
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons((uint16_t)port);
}

static int parse(const char *host, int port, union address *address, struct err *err)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t)port);
        return 0;
    }
    if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)port);
        return 0;
    }
    return err_set(err, "%s is not an IP address", host);
}

static socklen_t size_of(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

static int set_v6only(int fd, const union address *address, bool v6only)
{
    if (address->any.sa_family != AF_INET6)
        return 0;
    return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only);
}

// A bound socket, or -1 with errno.
static int bind_socket(const union address *address, bool v6only, bool share)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int why;

    if (fd == -1)
        return -1;
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
        (!share || set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0) &&
        set_v6only(fd, address, v6only) == 0 && bind(fd, &address->any, size_of(address)) == 0)
        return fd;
    why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int explain(const union address *address, struct err *err)
{
    char host[INET6_ADDRSTRLEN];
    bool v6 = address->any.sa_family == AF_INET6;
    const void *part =
        v6 ? (const void *)&address->v6.sin6_addr : (const void *)&address->v4.sin_addr;
    int port = ntohs(v6 ? address->v6.sin6_port : address->v4.sin_port);
    char name[INET6_ADDRSTRLEN + 16];
    int why = errno;

    inet_ntop(address->any.sa_family, part, host, sizeof host);
    snprintf(name, sizeof name, v6 ? "[%s]:%d" : "%s:%d", host, port);
    errno = why;
    if (why == EADDRINUSE)
        return err_set(err, "%s is in use by another process", name);
    return err_set_errno(err, "%s", name);
}

// Listens at the address; on failure errno is still there.
static int open_at(const union address *address, bool v6only, bool first, struct err *err)
{
    int fd, why;

    if (first) {
        if ((fd = bind_socket(address, v6only, false)) == -1)
            return explain(address, err);
        close(fd);
    }
    if ((fd = bind_socket(address, v6only, true)) == -1)
        return explain(address, err);
    if (listen(fd, SOMAXCONN) == 0)
        return fd;
    why = errno;
    explain(address, err);
    close(fd);
    errno = why;
    return -1;
}

int slot_socket_open(const char *host, int port, bool first, struct err *err)
{
    bool any = !*host || strcmp(host, "*") == 0;
    union address address;
    int fd;

    if (any) {
        fill_v6_any(port, &address);
        fd = open_at(&address, false, first, err);
        if (fd != -1 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
            return fd;
        host = "0.0.0.0";
    }
    if (parse(host, port, &address, err) == -1)
        return -1;
    return open_at(&address, true, first, err);
}

int slot_group_steer(int fd, unsigned count, struct err *err)
{
    // The program's result is an index in the group, here a random number modulo count. (Not the
    // packet's hash: it is 0 for whatever comes over loopback.)
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(SKF_AD_OFF + SKF_AD_RANDOM)),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog steering = {sizeof program / sizeof program[0], program};

    if (count == 0)
        return err_set(err, "connections cannot be steered to no socket");
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &steering, sizeof steering) == -1)
        return err_set_errno(err, "steering connections to %u sockets", count);
    return 0;
}

int slot_group_unsteer(int fd, struct err *err)
{
    // ENOENT: there is no program.
    if (setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &(int){0}, sizeof(int)) == -1 &&
        errno != ENOENT)
        return err_set_errno(err, "steering connections to all sockets");
    return 0;
}

bool slot_queue_waiting(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLIN;
}
