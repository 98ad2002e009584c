// Accepting on listening sockets.
//
// The sockets of a slot belong to the supervisor and outlive this process; connections that wait in
// them when we stop are the next worker's. TCP_NODELAY is set once, on the listening socket:
// accepted ones inherit it.
#include "listener.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients.h"
#include "common/gateway_config.h"
#include "common/log.h"
#include "common/mem.h"

enum { LISTEN_BACKLOG = 4096 }; // cut to net.core.somaxconn

struct listener {
    uv_tcp_t tcp; // first: libuv's handle
    char *name;
    bool received; // over the control connection
    struct clients *clients;
    struct listener *next;
};

void listeners_init(struct listeners *listeners, uv_loop_t *loop, struct clients *clients)
{
    *listeners = (struct listeners){.loop = loop, .clients = clients};
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = H2O_STRUCT_FROM_MEMBER(struct listener, tcp, handle);
    free(listener->name);
    free(listener);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *listener = H2O_STRUCT_FROM_MEMBER(struct listener, tcp, stream);
    if (status == 0)
        clients_accept(listener->clients, stream);
    else if (status != UV_ECONNABORTED)
        log_warn("%s: accept: %s", listener->name, uv_strerror(status));
}

static struct listener *listener_new(struct listeners *listeners, const char *name)
{
    struct listener *listener = mem_zalloc(1, sizeof(*listener));
    listener->name = mem_strdup(name);
    listener->clients = listeners->clients;
    uv_tcp_init(listeners->loop, &listener->tcp);
    return listener;
}

static int start(struct listeners *listeners, struct listener *listener, int status,
                 struct err *err)
{
    int on = 1;
    uv_os_fd_t fd;
    if (status == 0)
        status = uv_fileno((uv_handle_t *)&listener->tcp, &fd);
    if (status == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        uv_stream_set_blocking((uv_stream_t *)&listener->tcp, 0);
        status = uv_listen((uv_stream_t *)&listener->tcp, LISTEN_BACKLOG, on_connection);
    }
    if (status != 0) {
        err_set(err, "%s: %s", listener->name, uv_strerror(status));
        uv_close((uv_handle_t *)&listener->tcp, on_closed);
        return -1;
    }
    listener->next = listeners->first;
    listeners->first = listener;
    return 0;
}

int listeners_open(struct listeners *listeners, int fd, const char *name, struct err *err)
{
    struct listener *listener = listener_new(listeners, name);
    int status = uv_tcp_open(&listener->tcp, fd);
    if (status != 0)
        close(fd);
    return start(listeners, listener, status, err);
}

int listeners_open_received(struct listeners *listeners, uv_pipe_t *pipe, const char *name,
                            struct err *err)
{
    struct listener *listener = listener_new(listeners, name);
    listener->received = true;
    int status = uv_accept((uv_stream_t *)pipe, (uv_stream_t *)&listener->tcp);
    return start(listeners, listener, status, err);
}

// A bound socket, or -1 with errno. v6only: IPv6 addresses are for IPv6 only.
static int bind_socket(const struct sockaddr *address, socklen_t length, int v6only)
{
    int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
        (address->sa_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) == 0) &&
        bind(fd, address, length) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int bind_host(const char *host, int port, bool v6only)
{
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    if (uv_ip4_addr(host, port, &ipv4) == 0)
        return bind_socket((const struct sockaddr *)&ipv4, sizeof(ipv4), v6only);
    if (uv_ip6_addr(host, port, &ipv6) == 0)
        return bind_socket((const struct sockaddr *)&ipv6, sizeof(ipv6), v6only);
    errno = EINVAL;
    return -1;
}

static int bind_any(int port)
{
    int fd = bind_host("::", port, false);
    if (fd == -1 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fd = bind_host("0.0.0.0", port, false);
    return fd;
}

int listeners_bind(struct listeners *listeners, const struct listen_config *config, struct err *err)
{
    char host[INET6_ADDRSTRLEN + 1];
    int port;
    if (listen_address_parse(config->address, host, sizeof(host), &port, err) != 0)
        return -1;
    int fd = host[0] == '\0' ? bind_any(port) : bind_host(host, port, true);
    if (fd == -1)
        return err_set_errno(err, "listen %s", config->address);
    return listeners_open(listeners, fd, config->address, err);
}

// Takes the listener out of the list at *at.
static void close_at(struct listener **at)
{
    struct listener *listener = *at;
    *at = listener->next;
    uv_close((uv_handle_t *)&listener->tcp, on_closed);
}

bool listeners_close(struct listeners *listeners, const char *name)
{
    struct listener **at = &listeners->first;
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    if (*at == NULL)
        return false;
    close_at(at);
    return true;
}

void listeners_close_received(struct listeners *listeners)
{
    struct listener **at = &listeners->first;
    while (*at != NULL) {
        if ((*at)->received)
            close_at(at);
        else
            at = &(*at)->next;
    }
}

void listeners_close_all(struct listeners *listeners)
{
    while (listeners->first != NULL)
        close_at(&listeners->first);
}
