// One connection to an endpoint, over TCP or a Unix socket.
#ifndef GW_GATEWAY_UPSTREAM_CONN_H
#define GW_GATEWAY_UPSTREAM_CONN_H

#include <h2o.h>
#include <stdbool.h>

#include "common/err.h"

struct endpoint;
struct upstream_conn;

// What the user of a connection hears of it. None of these is called from within a call of the
// user, none after upstream_conn_close or after the connection went to the pool.
struct upstream_conn_user {
    void (*on_connected)(void *user, bool failed);
    // Bytes were added to the input, or the peer has ended the connection.
    void (*on_readable)(void *user, bool ended);
};

struct upstream_conn {
    h2o_socket_t *socket;
    struct endpoint *endpoint;
    const struct upstream_conn_user *callbacks; // NULL: idle
    void *user;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle;
    uv_connect_t connect;
    bool reading;
    bool was_used;     // served a request before this one
    bool saw_end;      // reading ended, and not by an error
    bool write_failed; // a request could not be written to its end

    // Of the pool, while idle.
    struct upstream_conn *newer, *older;
    uint64_t idle_since_ms;
    void (*on_idle_event)(struct upstream_conn *conn);
};

// Starts to connect; on_connected follows. Once connected, reading is on. NULL: not even begun.
struct upstream_conn *upstream_conn_open(uv_loop_t *loop, struct endpoint *endpoint,
                                         const struct upstream_conn_user *callbacks, void *user,
                                         struct err *err) GW_MUST_USE;

// Writes a whole request; the bytes are borrowed until it is written or the connection closed. Once
// a request. A failure shows as the end of what can be read.
void upstream_conn_send(struct upstream_conn *conn, h2o_iovec_t *pieces, size_t count);

// Bytes of the request that the kernel has not taken.
size_t upstream_conn_unsent(const struct upstream_conn *conn);

// What was received and not taken; valid until the next event.
h2o_buffer_t *upstream_conn_input(const struct upstream_conn *conn);
void upstream_conn_skip_input(struct upstream_conn *conn, size_t length);

// Hands the input over (h2o_buffer_dispose) and starts a new one, so that nothing is copied.
h2o_buffer_t *upstream_conn_take_input(struct upstream_conn *conn);

// Back-pressure.
void upstream_conn_set_reading(struct upstream_conn *conn, bool reading);

// After on_readable said that it ended: was that an orderly end, and not a reset?
bool upstream_conn_ended_orderly(const struct upstream_conn *conn);

// Is the peer still there, and has it sent nothing, as far as the kernel knows? One system call.
bool upstream_conn_is_clean(const struct upstream_conn *conn);

// Closes at once, whatever is under way. The memory goes when libuv is done with it.
void upstream_conn_close(struct upstream_conn *conn);

#endif
