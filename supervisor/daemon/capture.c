// Carries what a process prints to its log file.
//
// Not its job: the file (log_file.c), which several captures may have in common; so whole lines
// only are written, many with one call.
//
// The invariant: `partial` holds the unfinished last line only and is not longer than LOG_LINES_MAX
// between two reads. Nothing that the disk does may stop the reading, for a process whose pipe
// nobody reads stops at its next line.

#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/foreign_text.h"
#include "common/log.h"
#include "common/mem.h"
#include "log_file.h"
#include "log_format.h"
#include "log_lines.h"

enum { READ_SIZE = 65536, LAST_LINE_SIZE = 201, WARN_EVERY_MS = 10000 };
enum { LEFT_PIPE_SIZE = 1 << 20 }; // what the kernel lets everyone have

// A file, and how it is with it.
struct sink {
    struct log_file *file; // NULL: there is none
    char *path;
    bool mid_line;       // the last byte we wrote is no newline
    uint64_t lost_lines; // since the last write that worked
    uint64_t warned_ms;
};

struct capture {
    uv_poll_t poll;
    int fd; // open until capture_close, also after its end: the poll handle has its number
    bool ended;
    bool closing;
    char *label;
    struct sink own, combined;
    struct log_format format;
    char *format_date, *format_app; // what it points to
    void (*on_line)(void *context, const char *line, size_t length);
    void (*on_lost)(void *context, uint64_t lines);
    void *context;
    struct buf partial;
    char last[CAPTURE_LAST_LINES][LAST_LINE_SIZE];
    unsigned newest; // index in last
};

// --- to the disk --------------------------------------------------------------------------------

static uint64_t count_lines(const char *bytes, size_t length)
{
    uint64_t count = 0;
    for (const char *end = bytes + length; (bytes = memchr(bytes, '\n', (size_t)(end - bytes)));)
        ++bytes, ++count;
    return count > 0 ? count : 1;
}

static void on_write_failed(const struct capture *capture, struct sink *sink, const char *bytes,
                            size_t length)
{
    uint64_t now = uv_now(capture->poll.loop), lines = count_lines(bytes, length);
    int why = errno;
    bool first = sink->lost_lines == 0;

    sink->lost_lines += lines;
    if (capture->on_lost && !capture->closing)
        capture->on_lost(capture->context, lines);
    if (!first && now - sink->warned_ms < WARN_EVERY_MS)
        return;
    sink->warned_ms = now;
    log_warn("%s: %s: %s, %" PRIu64 " lines lost", capture->label, sink->path, strerror(why),
             sink->lost_lines);
}

static void on_write_worked(const struct capture *capture, struct sink *sink)
{
    if (sink->lost_lines > 0)
        log_info("%s: %s is written again, %" PRIu64 " lines were lost", capture->label, sink->path,
                 sink->lost_lines);
    sink->lost_lines = 0;
}

// One write. A short one is how the disk says that it is full. What follows a loss begins on a line
// of its own.
static void write_out(const struct capture *capture, struct sink *sink, const char *bytes,
                      size_t length)
{
    size_t lead = sink->mid_line && sink->lost_lines > 0 ? 1 : 0;
    struct iovec parts[2] = {{(void *)"\n", lead}, {(void *)bytes, length}};
    ssize_t written;
    size_t taken;

    if (!sink->file)
        return;
    written = log_file_append(sink->file, parts, 2);
    taken = written > (ssize_t)lead ? (size_t)written - lead : 0;
    if (taken > 0)
        sink->mid_line = bytes[taken - 1] != '\n';
    else if (written > 0)
        sink->mid_line = false;
    if (taken == length) {
        on_write_worked(capture, sink);
        return;
    }
    if (written >= 0)
        errno = ENOSPC;
    on_write_failed(capture, sink, bytes + taken, length - taken);
}

// --- lines --------------------------------------------------------------------------------------

static void remember(struct capture *capture, const char *line, size_t length)
{
    unsigned next = (capture->newest + 1) % CAPTURE_LAST_LINES;
    if (foreign_text_copy(capture->last[next], LAST_LINE_SIZE, line, length) > 0)
        capture->newest = next;
}

static bool is_blank(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (line[i] != ' ' && line[i] != '\t')
            return false;
    }
    return true;
}

// From the end, as only the last lines matter: making every line of a flood safe to be shown took
// two thirds of the time of a capture.
static void remember_last(struct capture *capture, const char *bytes, size_t length)
{
    const char *lines[CAPTURE_LAST_LINES];
    size_t lengths[CAPTURE_LAST_LINES], count = 0;

    while (length > 0 && count < CAPTURE_LAST_LINES) {
        lengths[count] = log_lines_last(bytes, length, &length);
        lines[count] = bytes + length;
        if (!is_blank(lines[count], lengths[count]))
            count++;
    }
    while (count-- > 0)
        remember(capture, lines[count], lengths[count]);
}

static void tell(struct capture *capture, const char *bytes, size_t length)
{
    for (size_t step; length > 0; bytes += step, length -= step) {
        size_t line = log_lines_next(bytes, length, &step);
        if (capture->on_line && !capture->closing)
            capture->on_line(capture->context, bytes, line);
    }
}

static void write_lines(struct capture *capture, const char *bytes, size_t length)
{
    struct buf text = BUF_INIT;
    if (log_format_is_plain(&capture->format)) {
        write_out(capture, &capture->own, bytes, length);
        write_out(capture, &capture->combined, bytes, length);
        return;
    }
    log_format_append_lines(&text, &capture->format, clock_wall_ms(), bytes, length);
    write_out(capture, &capture->own, text.data, text.length);
    write_out(capture, &capture->combined, text.data, text.length);
    buf_free(&text);
}

static void take_lines(struct capture *capture)
{
    size_t length;

    while ((length = log_lines_whole(capture->partial.data, capture->partial.length)) > 0) {
        write_lines(capture, capture->partial.data, length);
        remember_last(capture, capture->partial.data, length);
        tell(capture, capture->partial.data, length);
        buf_consume(&capture->partial, length);
    }
    if (capture->partial.length == 0)
        buf_free(&capture->partial); // a quiet process costs no buffer
}

// The last line of a process that did not end it.
static void finish_line(struct capture *capture)
{
    struct sink *sinks[] = {&capture->own, &capture->combined};
    for (size_t i = 0; i < 2 && capture->partial.length == 0; i++) {
        if (sinks[i]->mid_line)
            write_out(capture, sinks[i], "\n", 1);
    }
    if (capture->partial.length > 0)
        buf_append(&capture->partial, "\n", 1);
    take_lines(capture);
}

// --- reading ------------------------------------------------------------------------------------

// false: the pipe has nothing now, or ended.
static bool read_once(struct capture *capture, size_t limit)
{
    char *room = buf_reserve(&capture->partial, READ_SIZE);
    ssize_t length = read(capture->fd, room, limit < READ_SIZE ? limit : READ_SIZE);

    if (length > 0) {
        buf_commit(&capture->partial, (size_t)length);
        take_lines(capture);
        return true;
    }
    if (length == -1 && (errno == EAGAIN || errno == EINTR)) {
        take_lines(capture); // gives an unused buffer back
        return false;
    }
    capture->ended = true;
    uv_poll_stop(&capture->poll);
    finish_line(capture);
    return false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    // An error shows in read(2), with its errno. One read a turn: a process that prints for ever
    // must not keep the loop from everything else.
    (void)status;
    (void)events;
    read_once(poll->data, READ_SIZE);
}

void capture_drain_now(struct capture *capture)
{
    int left = 0;

    // Counted first: a grandchild that goes on printing must not hold us here.
    if (capture->ended || ioctl(capture->fd, FIONREAD, &left) == -1)
        return;
    while (left > 0) {
        size_t step = left < READ_SIZE ? (size_t)left : READ_SIZE;
        if (!read_once(capture, step))
            return;
        left -= (int)step;
    }
    // Once more to see the end, which also ends an unfinished last line.
    read_once(capture, READ_SIZE);
}

// --- public -------------------------------------------------------------------------------------

static int open_sink(struct sink *sink, uv_loop_t *loop, const char *path,
                     const struct log_rotate_config *rotation, struct err *err)
{
    if (!path)
        return 0;
    sink->path = mem_strdup(path);
    sink->file = log_file_open(loop, path, rotation, err);
    return sink->file ? 0 : -1;
}

static void close_sink(struct sink *sink)
{
    log_file_close(sink->file);
    free(sink->path);
}

static void free_capture(struct capture *capture)
{
    close_sink(&capture->own);
    close_sink(&capture->combined);
    buf_free(&capture->partial);
    free(capture->label);
    free(capture->format_date);
    free(capture->format_app);
    free(capture);
}

static void copy_format(struct capture *capture, const struct log_format *format)
{
    capture->format = *format;
    if (format->date)
        capture->format.date = capture->format_date = mem_strdup(format->date);
    capture->format.app = capture->format_app = mem_strdup(format->app);
}

static struct capture *fail(struct capture *capture)
{
    close(capture->fd);
    free_capture(capture);
    return NULL;
}

struct capture *capture_open(uv_loop_t *loop, int fd, const struct capture_options *options,
                             struct err *err)
{
    struct capture *capture = mem_zalloc(1, sizeof *capture);
    int result;

    capture->fd = fd;
    capture->label = mem_strdup(options->label);
    capture->on_line = options->on_line;
    capture->on_lost = options->on_lost;
    capture->context = options->context;
    if (options->format)
        copy_format(capture, options->format);
    if (open_sink(&capture->own, loop, options->path, options->rotation, err) == -1 ||
        open_sink(&capture->combined, loop, options->combined_path, options->rotation, err) == -1)
        return fail(capture);
    if ((result = uv_poll_init(loop, &capture->poll, fd)) != 0) {
        err_set(err, "%s: %s", options->label, uv_strerror(result));
        return fail(capture);
    }
    capture->poll.data = capture;
    uv_poll_start(&capture->poll, UV_READABLE, on_readable);
    return capture;
}

const char *capture_last_line(const struct capture *capture, unsigned back)
{
    if (back >= CAPTURE_LAST_LINES)
        return "";
    return capture->last[(capture->newest + CAPTURE_LAST_LINES - back) % CAPTURE_LAST_LINES];
}

int capture_fd(const struct capture *capture)
{
    return capture->ended ? -1 : capture->fd;
}

void capture_put_down(struct capture *capture)
{
    struct buf *partial = &capture->partial;
    if (capture->ended)
        return;
    if (!log_format_is_plain(&capture->format)) {
        finish_line(capture);
    } else if (partial->length > 0) {
        write_lines(capture, partial->data, partial->length);
        buf_consume(partial, partial->length);
    }
    fcntl(capture->fd, F_SETPIPE_SZ, LEFT_PIPE_SIZE); // what the user may not have is no loss
}

static void on_closed(uv_handle_t *handle)
{
    free_capture(handle->data);
}

void capture_close(struct capture *capture)
{
    if (!capture || capture->closing)
        return;
    capture->closing = true;
    finish_line(capture);
    uv_close((uv_handle_t *)&capture->poll, on_closed);
    close(capture->fd);
}
