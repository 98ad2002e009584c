// The watch for EPOLLRDHUP on a client's connection.
//
// libh2o's own handle for the descriptor must not be touched: reading for it could move the buffer
// that the request's strings point into. So a second descriptor of the same connection is watched.
// Whatever is reported means "gone": an end and a half-close (as everywhere, a client that will not
// send more is taken for gone), or an error status for a reset.
#include "hangup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"

struct hangup {
    uv_poll_t poll;
    int fd;
    void (*on_gone)(void *context);
    void *context;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct hangup *hangup = poll->data;
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    hangup->on_gone(hangup->context);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct hangup *hangup_watch(uv_loop_t *loop, int fd, void (*on_gone)(void *context), void *context)
{
    int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (duplicate == -1)
        return NULL;
    struct hangup *hangup = mem_alloc(sizeof(*hangup));
    *hangup = (struct hangup){.fd = duplicate, .on_gone = on_gone, .context = context};
    if (uv_poll_init(loop, &hangup->poll, duplicate) != 0) {
        close(duplicate);
        free(hangup);
        return NULL;
    }
    hangup->poll.data = hangup;
    uv_poll_start(&hangup->poll, UV_DISCONNECT, on_poll);
    return hangup;
}

void hangup_close(struct hangup *hangup)
{
    if (hangup == NULL)
        return;
    uv_poll_stop(&hangup->poll);
    close(hangup->fd);
    uv_close((uv_handle_t *)&hangup->poll, on_closed);
}
