// A connection to an endpoint on libh2o's socket: connecting (which libh2o does for TCP only),
// buffers that can be taken over, back-pressure. Not its job: which connection serves which request
// (pool.c, exchange.c), and what the bytes mean (relay.c).
//
// Reading stays on from connect to close, idle or not, unless the client is slow: libuv's way of
// switching it costs system calls, and an idle connection that the peer closes is noticed at once.
// It is read with libuv's own call, into libh2o's buffer: libh2o's would say "closed" for a reset
// too.
#include "upstream_conn.h"

#include <netinet/tcp.h>
#include <stdlib.h>

#include "common/gateway_config.h"
#include "common/mem.h"
#include "endpoints.h"

enum { READ_SIZE = 4096 }; // the least room to read into, as libh2o has it

static struct upstream_conn *conn_of_handle(void *handle)
{
    return H2O_STRUCT_FROM_MEMBER(struct upstream_conn, handle, handle);
}

static void on_handle_closed(uv_handle_t *handle)
{
    free(conn_of_handle(handle));
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    h2o_iovec_t room = h2o_buffer_reserve(&conn_of_handle(handle)->socket->input, READ_SIZE);
    *buf = uv_buf_init(room.base, (unsigned)room.len);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buf)
{
    struct upstream_conn *conn = conn_of_handle(stream);
    (void)buf;
    if (length == 0)
        return; // nothing there after all
    if (length > 0) {
        conn->socket->input->size += (size_t)length;
    } else {
        conn->reading = false; // libuv stops by itself at the end
        conn->saw_end = length == UV_EOF;
    }
    if (conn->callbacks == NULL)
        conn->on_idle_event(conn);
    else
        conn->callbacks->on_readable(conn->user, length < 0);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct upstream_conn *conn = H2O_STRUCT_FROM_MEMBER(struct upstream_conn, connect, request);
    if (status == UV_ECANCELED)
        return; // closed by us meanwhile
    if (status == 0) {
        if (conn->handle.stream.type == UV_TCP)
            uv_tcp_nodelay(&conn->handle.tcp, 1);
        upstream_conn_set_reading(conn, true);
    }
    conn->callbacks->on_connected(conn->user, status != 0);
}

static int start_connect(struct upstream_conn *conn)
{
    const struct sockaddr *address = (const struct sockaddr *)&conn->endpoint->socket_address;
    if (conn->handle.stream.type == UV_TCP)
        return uv_tcp_connect(&conn->connect, &conn->handle.tcp, address, on_connect);
    const struct sockaddr_un *local = (const struct sockaddr_un *)address;
    uv_pipe_connect(&conn->connect, &conn->handle.pipe, local->sun_path, on_connect);
    return 0;
}

struct upstream_conn *upstream_conn_open(uv_loop_t *loop, struct endpoint *endpoint,
                                         const struct upstream_conn_user *callbacks, void *user,
                                         struct err *err)
{
    struct upstream_conn *conn = mem_zalloc(1, sizeof(*conn));
    bool is_local = endpoint->socket_address.ss_family == AF_UNIX;
    int status =
        is_local ? uv_pipe_init(loop, &conn->handle.pipe, 0) : uv_tcp_init(loop, &conn->handle.tcp);
    if (status != 0) {
        free(conn);
        err_set(err, "%s: %s", endpoint->name, uv_strerror(status));
        return NULL;
    }
    conn->endpoint = endpoint;
    conn->callbacks = callbacks;
    conn->user = user;
    conn->socket = h2o_uv_socket_create(&conn->handle.stream, on_handle_closed);
    conn->socket->data = conn;
    status = start_connect(conn);
    if (status == 0)
        return conn;
    upstream_conn_close(conn);
    err_set(err, "%s: connect: %s", endpoint->name, uv_strerror(status));
    return NULL;
}

static void on_written(h2o_socket_t *socket, const char *problem)
{
    struct upstream_conn *conn = socket->data;
    if (problem != NULL) // the read side tells, after an answer that may have come before
        conn->write_failed = true;
}

void upstream_conn_send(struct upstream_conn *conn, h2o_iovec_t *pieces, size_t count)
{
    h2o_socket_write(conn->socket, pieces, count, on_written);
}

size_t upstream_conn_unsent(const struct upstream_conn *conn)
{
    return uv_stream_get_write_queue_size(&conn->handle.stream);
}

h2o_buffer_t *upstream_conn_input(const struct upstream_conn *conn)
{
    return conn->socket->input;
}

void upstream_conn_skip_input(struct upstream_conn *conn, size_t length)
{
    h2o_buffer_consume(&conn->socket->input, length);
}

h2o_buffer_t *upstream_conn_take_input(struct upstream_conn *conn)
{
    h2o_buffer_t *taken = conn->socket->input;
    h2o_buffer_init(&conn->socket->input, &h2o_socket_buffer_prototype);
    return taken;
}

void upstream_conn_set_reading(struct upstream_conn *conn, bool reading)
{
    if (reading == conn->reading)
        return;
    conn->reading = reading;
    if (reading)
        uv_read_start(&conn->handle.stream, on_alloc, on_read);
    else
        uv_read_stop(&conn->handle.stream);
}

// The kernel reports a reset once, to whoever comes first: when that was a write, a read sees a
// plain end. A TCP connection still shows it then in its state.
bool upstream_conn_ended_orderly(const struct upstream_conn *conn)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof(info);
    if (!conn->saw_end || conn->write_failed)
        return false;
    if (conn->handle.stream.type != UV_TCP)
        return true;
    if (getsockopt(h2o_socket_get_fd(conn->socket), IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return false;
    return info.tcpi_state == TCP_CLOSE_WAIT;
}

bool upstream_conn_is_clean(const struct upstream_conn *conn)
{
    char byte;
    ssize_t length =
        recv(h2o_socket_get_fd(conn->socket), &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);
    return length == -1 && errno == EAGAIN;
}

void upstream_conn_close(struct upstream_conn *conn)
{
    conn->callbacks = NULL;
    h2o_socket_close(conn->socket);
}
