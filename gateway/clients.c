// Client connections.
//
// libh2o tells nobody when a connection of HTTP/1 comes and goes, so each has a struct of ours: the
// libuv handle is in it, and the socket's close callback leads back to it. Not its job: requests
// (proxy.c) and deciding when a connection must end (patience.c, drain.c, exchange.c).
//
// All limits are kept by one look at each connection once a second, or more often when a limit is
// short: a timer for each would cost every request something.
//
// Invariant: a client is in the list from accept to the moment libh2o closes its socket; its memory
// goes when libuv has closed the handle.
#include "clients.h"

#include <stdlib.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/state_page.h"
#include "counters.h"
#include "ledger.h"
#include "metrics.h"
#include "problem.h"

// 408. libh2o, which waits for the rest of the request, cannot send it; it writes nothing
// meanwhile, or else the answer is left out.
static void send_timeout(struct client *client)
{
    char text[512], date[H2O_TIMESTR_RFC1123_LEN + 1];
    const struct problem *problem = problem_get(408);
    time_t now = time(NULL);
    struct tm parts;
    h2o_time2str_rfc1123(date, gmtime_r(&now, &parts));
    int length = snprintf(text, sizeof(text),
                          "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\nContent-Type: "
                          "%s\r\nContent-Length: %zu\r\n\r\n%s",
                          problem->status, problem->title, date, PROBLEM_CONTENT_TYPE,
                          problem->body.length, problem->body.bytes);
    uv_buf_t piece = uv_buf_init(text, (unsigned)length);
    if (client->socket->ssl == NULL)
        uv_try_write((uv_stream_t *)&client->tcp, &piece, 1);
    uint64_t waited_ms = uv_now(client->clients->sweep.loop) - client->patience.since_ms;
    ledger_note_timeout(client->clients->ledger, client_peer(client), waited_ms * 1000,
                        problem->body.length);
}

static void look_at(struct client *client, void *context)
{
    struct clients *clients = context;
    const h2o_buffer_t *input = client->socket->input;
    if (client->exchange != NULL)
        return;
    switch (patience_look(&client->patience, &clients->limits,
                          (struct span){input->bytes, input->size}, uv_now(clients->sweep.loop))) {
    case PATIENCE_WAIT:
        break;
    case PATIENCE_CLOSE:
        client_close_idle(client);
        break;
    case PATIENCE_TIMEOUT:
        send_timeout(client);
        client_break(client);
        break;
    }
}

static void on_sweep(uv_timer_t *timer)
{
    struct clients *clients = timer->data;
    clients_each(clients, look_at, clients);
    if (clients->count == 0)
        uv_timer_stop(timer);
}

void clients_init(struct clients *clients, h2o_accept_ctx_t *accept,
                  const struct patience_limits *limits, struct state_column *column,
                  struct ledger *ledger)
{
    *clients =
        (struct clients){.accept = accept, .limits = *limits, .column = column, .ledger = ledger};
    h2o_linklist_init_anchor(&clients->list);
    uv_timer_init(accept->ctx->loop, &clients->sweep);
    clients->sweep.data = clients;
}

void clients_close(struct clients *clients)
{
    uv_close((uv_handle_t *)&clients->sweep, NULL);
}

static void on_handle_closed(uv_handle_t *handle)
{
    free(H2O_STRUCT_FROM_MEMBER(struct client, tcp, handle));
}

// libh2o closed the socket: nothing of it may be touched any more.
static void on_socket_closed(void *data)
{
    struct client *client = data;
    client->socket = NULL;
    h2o_linklist_unlink(&client->link);
    --client->clients->count;
    gauge_down(&client->clients->column->connections);
}

static struct client *client_new(struct clients *clients)
{
    struct client *client = mem_alloc(sizeof(*client));
    uv_loop_t *loop = clients->sweep.loop;
    client->clients = clients;
    client->exchange = NULL;
    patience_begin(&client->patience, true, uv_now(loop));
    client->peer_length = 0;
    client->link = (h2o_linklist_t){NULL, NULL};
    uv_tcp_init(loop, &client->tcp);
    return client;
}

// The handle has its socket.
static void begin(struct client *client)
{
    struct clients *clients = client->clients;
    client->socket = h2o_uv_socket_create((uv_stream_t *)&client->tcp, on_handle_closed);
    client->socket->on_close.cb = on_socket_closed;
    client->socket->on_close.data = client;
    h2o_linklist_insert(&clients->list, &client->link);
    if (++clients->count == 1 && !uv_is_active((uv_handle_t *)&clients->sweep)) {
        uint64_t interval_ms = patience_interval_ms(&clients->limits);
        uv_timer_start(&clients->sweep, on_sweep, interval_ms, interval_ms);
    }
    gauge_up(&clients->column->connections);
    h2o_accept(clients->accept, client->socket);
}

void clients_accept(struct clients *clients, uv_stream_t *listener)
{
    struct client *client = client_new(clients);
    if (uv_accept(listener, (uv_stream_t *)&client->tcp) == 0) {
        metrics_count_connection(clients->ledger->metrics);
        begin(client);
    } else {
        uv_close((uv_handle_t *)&client->tcp, on_handle_closed);
    }
}

// To libuv a stream is a stream: the socket may be of any family.
void clients_adopt(struct clients *clients, int fd)
{
    static const char peer[] = "127.0.0.1";
    struct client *client = client_new(clients);
    memcpy(client->peer, peer, sizeof(peer));
    client->peer_length = sizeof(peer) - 1;
    if (uv_tcp_open(&client->tcp, fd) == 0) {
        begin(client);
    } else {
        close(fd);
        uv_close((uv_handle_t *)&client->tcp, on_handle_closed);
    }
}

struct client *client_of_request(h2o_req_t *req)
{
    return req->conn->callbacks->get_socket(req->conn)->on_close.data;
}

// An IPv4 client of a socket for both is one like any other: "::ffff:192.0.2.1" is nobody's name.
static void unmap(struct sockaddr_storage *address)
{
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)address;
    if (address->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr))
        return;
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = ipv6->sin6_port};
    memcpy(&ipv4.sin_addr, ipv6->sin6_addr.s6_addr + 12, sizeof(ipv4.sin_addr));
    memcpy(address, &ipv4, sizeof(ipv4));
}

static void find_peer(struct client *client)
{
    struct sockaddr_storage address;
    int length = sizeof(address);
    if (uv_tcp_getpeername(&client->tcp, (struct sockaddr *)&address, &length) != 0)
        return;
    int status = UV_EINVAL;
    unmap(&address);
    if (address.ss_family == AF_INET)
        status = uv_ip4_name((struct sockaddr_in *)&address, client->peer, sizeof(client->peer));
    else if (address.ss_family == AF_INET6)
        status = uv_ip6_name((struct sockaddr_in6 *)&address, client->peer, sizeof(client->peer));
    if (status == 0)
        client->peer_length = strlen(client->peer);
}

struct span client_peer(struct client *client)
{
    if (client->peer_length == 0)
        find_peer(client);
    return (struct span){client->peer, client->peer_length};
}

bool client_is_idle(const struct client *client)
{
    return client->exchange == NULL && client->socket->input->size == 0;
}

void client_close_idle(struct client *client)
{
    shutdown(h2o_socket_get_fd(client->socket), SHUT_RD);
}

void client_break(struct client *client)
{
    shutdown(h2o_socket_get_fd(client->socket), SHUT_RDWR);
}

size_t client_unsent(const struct client *client)
{
    int in_kernel = 0;
    ioctl(h2o_socket_get_fd(client->socket), SIOCOUTQ, &in_kernel);
    return uv_stream_get_write_queue_size((const uv_stream_t *)&client->tcp) + (size_t)in_kernel;
}

void client_reset_on_close(struct client *client)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(h2o_socket_get_fd(client->socket), SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void clients_each(struct clients *clients, void (*callback)(struct client *client, void *context),
                  void *context)
{
    h2o_linklist_t *next;
    for (h2o_linklist_t *at = clients->list.next; at != &clients->list; at = next) {
        next = at->next;
        callback(H2O_STRUCT_FROM_MEMBER(struct client, link, at), context);
    }
}
