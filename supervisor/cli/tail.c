// A file is read backwards in blocks until enough newlines were seen; following goes by offset, and
// begins anew when the file at the path is another one or has become shorter.

#include "tail.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"

enum { BLOCK = 65536 };

struct tail {
    char *path;
    tail_line *on_line;
    void *context;
    int fd; // -1: not there
    off_t offset;
    struct buf pending; // an unfinished line
};

static void open_file(struct tail *tail)
{
    tail->fd = open(tail->path, O_RDONLY | O_CLOEXEC);
    tail->offset = 0;
}

struct tail *tail_new(const char *path, tail_line *on_line, void *context)
{
    struct tail *tail = mem_zalloc(1, sizeof *tail);
    tail->path = mem_strdup(path);
    tail->on_line = on_line;
    tail->context = context;
    open_file(tail);
    return tail;
}

void tail_free(struct tail *tail)
{
    if (tail->fd >= 0)
        close(tail->fd);
    buf_free(&tail->pending);
    free(tail->path);
    free(tail);
}

// Where the last `count` lines of [0, end) begin.
static off_t find_start(int fd, off_t end, size_t count)
{
    char block[BLOCK];
    size_t newlines = 0;
    while (end > 0) {
        size_t length = end < BLOCK ? (size_t)end : BLOCK;
        off_t from = end - (off_t)length;
        if (pread(fd, block, length, from) != (ssize_t)length)
            return 0;
        for (size_t i = length; i > 0; i--) {
            // The newline that ends the last line is the first one seen.
            if (block[i - 1] == '\n' && newlines++ == count)
                return from + (off_t)i;
        }
        end = from;
    }
    return 0;
}

// Not buf_take_line, which is for text: here every byte counts.
static void give_lines(struct tail *tail)
{
    char *end;
    while (tail->pending.length > 0 &&
           (end = memchr(tail->pending.data, '\n', tail->pending.length))) {
        size_t length = (size_t)(end - tail->pending.data);
        tail->on_line(tail->context, tail->pending.data, length);
        buf_consume(&tail->pending, length + 1);
    }
}

static void read_new(struct tail *tail)
{
    ssize_t count;
    while ((count = pread(tail->fd, buf_reserve(&tail->pending, BLOCK), BLOCK, tail->offset)) > 0) {
        buf_commit(&tail->pending, (size_t)count);
        tail->offset += count;
        give_lines(tail);
    }
}

void tail_last(struct tail *tail, size_t count)
{
    struct stat stat;
    if (tail->fd < 0 || fstat(tail->fd, &stat) != 0)
        return;
    tail->offset = count == 0 ? stat.st_size : find_start(tail->fd, stat.st_size, count);
    read_new(tail);
}

// The file that it stands in goes no further.
static void end_unfinished_line(struct tail *tail)
{
    if (tail->pending.length > 0)
        tail->on_line(tail->context, tail->pending.data, tail->pending.length);
    buf_consume(&tail->pending, tail->pending.length);
}

static void reopen_if_replaced(struct tail *tail)
{
    struct stat ours, now;
    if (stat(tail->path, &now) != 0)
        return; // renamed, the new one is not there yet
    bool same = tail->fd >= 0 && fstat(tail->fd, &ours) == 0 && ours.st_ino == now.st_ino &&
                ours.st_dev == now.st_dev;
    if (same && now.st_size >= tail->offset)
        return;
    if (tail->fd >= 0 && !same) {
        read_new(tail); // what was written before it was replaced
        close(tail->fd);
    }
    end_unfinished_line(tail);
    if (same)
        tail->offset = 0;
    else
        open_file(tail);
}

void tail_poll(struct tail *tail)
{
    reopen_if_replaced(tail);
    if (tail->fd >= 0)
        read_new(tail);
}
