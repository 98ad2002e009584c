// Looks for the one line that counts. The invariant: however long a message is, only its first
// bytes are kept.

#include "node_ipc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define READY "\"ready\""

struct node_ipc {
    uv_pipe_t pipe;
    void (*on_ready)(void *context);
    void *context;
    char line[sizeof READY]; // the beginning of the message that comes in
    size_t length;           // of the whole of it, so far
    char chunk[4096];
};

static void take(struct node_ipc *ipc, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != '\n') {
            if (ipc->length < sizeof ipc->line)
                ipc->line[ipc->length] = bytes[i];
            ipc->length++;
            continue;
        }
        if (ipc->length == strlen(READY) && memcmp(ipc->line, READY, ipc->length) == 0)
            ipc->on_ready(ipc->context);
        ipc->length = 0;
    }
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct node_ipc *ipc = handle->data;
    (void)suggested;
    *out = uv_buf_init(ipc->chunk, sizeof ipc->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    if (count > 0)
        take(stream->data, bytes->base, (size_t)count);
    else if (count < 0)
        uv_read_stop(stream); // the process disconnected, which it may
}

struct node_ipc *node_ipc_open(uv_loop_t *loop, int fd, void (*on_ready)(void *context),
                               void *context)
{
    struct node_ipc *ipc = mem_zalloc(1, sizeof *ipc);
    ipc->on_ready = on_ready;
    ipc->context = context;
    uv_pipe_init(loop, &ipc->pipe, 0);
    ipc->pipe.data = ipc;
    uv_pipe_open(&ipc->pipe, fd);
    uv_read_start((uv_stream_t *)&ipc->pipe, on_allocate, on_read);
    return ipc;
}

int node_ipc_fd(const struct node_ipc *ipc)
{
    uv_os_fd_t fd = -1;
    uv_fileno((const uv_handle_t *)&ipc->pipe, &fd);
    return fd;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void node_ipc_close(struct node_ipc *ipc)
{
    if (ipc)
        uv_close((uv_handle_t *)&ipc->pipe, on_closed);
}
