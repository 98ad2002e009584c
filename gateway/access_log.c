// One buffer, written when it is full or the loop's turn ends.
//
// O_NONBLOCK belongs to an open file, and stdout's is shared with whoever started us. So the pipe
// is opened once more, by its name in /proc; what cannot be opened so (a socket, somebody else's
// pipe) is written to as long as it says that there is room, in pieces that a pipe takes whole
// then.
//
// Invariant: `buffer` begins with a line, or with the rest of one whose beginning was written.
#include "access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "metrics.h"

enum {
    WRITE_SIZE = 16 << 10, // worth a write of its own
    BUFFER_SIZE = 256 << 10,
    RETRY_MS = 20, // nobody tells when there is room again
    HANDLES = 2,
};

struct access_log {
    struct access_line line;
    struct metrics *metrics;
    int fd;
    bool is_own; // opened by us: it never blocks
    uv_prepare_t turn_end;
    uv_timer_t retry;
    unsigned open_handles;
    size_t length;
    char buffer[BUFFER_SIZE];
};

// --- writing ------------------------------------------------------------------------------------

static ssize_t write_some(const struct access_log *log)
{
    struct pollfd poll_fd = {.fd = log->fd, .events = POLLOUT};
    if (log->is_own)
        return write(log->fd, log->buffer, log->length);
    if (poll(&poll_fd, 1, 0) != 1) {
        errno = EAGAIN;
        return -1;
    }
    return write(log->fd, log->buffer, log->length < PIPE_BUF ? log->length : PIPE_BUF);
}

static void drop_all(struct access_log *log)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < log->length; ++i)
        lines += log->buffer[i] == '\n';
    metrics_count_log_drops(log->metrics, lines);
    log->length = 0;
}

// Stops at the first byte that is not taken. A reader that is gone takes nothing ever.
static void flush(struct access_log *log)
{
    while (log->length > 0) {
        ssize_t written = write_some(log);
        if (written == -1 && errno == EINTR)
            continue;
        if (written == -1 && errno != EAGAIN)
            drop_all(log);
        if (written <= 0)
            return;
        log->length -= (size_t)written;
        memmove(log->buffer, log->buffer + written, log->length);
    }
}

static void on_retry(uv_timer_t *timer)
{
    (void)timer; // the turn's end writes
}

static void on_turn_end(uv_prepare_t *prepare)
{
    struct access_log *log = prepare->data;
    if (log->length == 0)
        return;
    flush(log);
    if (log->length > 0 && !uv_is_active((uv_handle_t *)&log->retry))
        uv_timer_start(&log->retry, on_retry, RETRY_MS, 0);
}

bool access_log_shows_user_agents(const struct access_log *log)
{
    return log->line.form == ACCESS_LOG_JSON;
}

void access_log_add(struct access_log *log, const struct access_record *record)
{
    if (BUFFER_SIZE - log->length < ACCESS_LINE_MAX) {
        metrics_count_log_drops(log->metrics, 1);
        return;
    }
    size_t before = log->length;
    log->length += access_line_write(&log->line, record, log->buffer + log->length);
    if (before / WRITE_SIZE != log->length / WRITE_SIZE)
        flush(log);
}

// --- life ---------------------------------------------------------------------------------------

static void open_fd(struct access_log *log, int fd)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    log->fd = open(path, O_WRONLY | O_NONBLOCK | O_APPEND | O_NOCTTY | O_CLOEXEC);
    log->is_own = log->fd != -1;
    if (!log->is_own)
        log->fd = fd;
}

struct access_log *access_log_open(uv_loop_t *loop, int fd, enum access_log_form form,
                                   const char *worker, struct metrics *metrics)
{
    struct access_log *log = mem_alloc(sizeof(*log));
    memset(log, 0, offsetof(struct access_log, buffer));
    log->line.form = form;
    if (worker != NULL && worker[strspn(worker, "0123456789")] == '\0')
        log->line.worker = (struct span){worker, strlen(worker)};
    log->metrics = metrics;
    open_fd(log, fd);
    uv_prepare_init(loop, &log->turn_end);
    uv_timer_init(loop, &log->retry);
    log->turn_end.data = log->retry.data = log;
    log->open_handles = HANDLES;
    uv_prepare_start(&log->turn_end, on_turn_end);
    uv_unref((uv_handle_t *)&log->turn_end);
    uv_unref((uv_handle_t *)&log->retry);
    return log;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct access_log *log = handle->data;
    if (--log->open_handles == 0)
        free(log);
}

void access_log_close(struct access_log *log)
{
    if (log == NULL)
        return;
    flush(log);
    drop_all(log);
    if (log->is_own)
        close(log->fd);
    uv_close((uv_handle_t *)&log->turn_end, on_handle_closed);
    uv_close((uv_handle_t *)&log->retry, on_handle_closed);
}
