// A byte buffer that moves its content to the front only when it needs the room: appending and
// consuming are amortised O(1).

#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

static char *allocation(const struct buf *buf)
{
    return buf->data ? buf->data - buf->start : NULL;
}

void buf_free(struct buf *buf)
{
    free(allocation(buf));
    *buf = (struct buf)BUF_INIT;
}

static void move_to_front(struct buf *buf)
{
    char *base = allocation(buf);
    if (buf->start == 0)
        return;
    memmove(base, buf->data, buf->length);
    buf->data = base;
    buf->start = 0;
}

char *buf_reserve(struct buf *buf, size_t length)
{
    size_t needed = buf->length + length;
    if (buf->data && buf->start + needed <= buf->capacity)
        return buf->data + buf->length;
    // Moving is worth it only when at least half of the allocation was consumed.
    if (buf->start >= buf->capacity / 2)
        move_to_front(buf);
    if (buf->start + needed > buf->capacity) {
        size_t capacity = buf->capacity > 0 ? buf->capacity : 256;
        while (capacity < buf->start + needed)
            capacity *= 2;
        char *base = mem_realloc(allocation(buf), capacity);
        buf->data = base + buf->start;
        buf->capacity = capacity;
    }
    return buf->data + buf->length;
}

void buf_commit(struct buf *buf, size_t length)
{
    buf->length += length;
}

void buf_append(struct buf *buf, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    memcpy(buf_reserve(buf, length), bytes, length);
    buf_commit(buf, length);
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length > 0) {
        vsnprintf(buf_reserve(buf, (size_t)length + 1), (size_t)length + 1, format, again);
        buf_commit(buf, (size_t)length);
    }
    va_end(again);
}

void buf_consume(struct buf *buf, size_t length)
{
    if (length == 0)
        return;
    buf->data += length;
    buf->start += length;
    buf->length -= length;
    if (buf->length == 0) {
        buf->data -= buf->start;
        buf->start = 0;
    }
}

bool buf_take_line(struct buf *buf, char **line, size_t *length)
{
    char *end = buf->length > 0 ? memchr(buf->data, '\n', buf->length) : NULL;
    if (!end)
        return false;
    *line = buf->data;
    size_t size = (size_t)(end - buf->data);
    *length = size > 0 && buf->data[size - 1] == '\r' ? size - 1 : size;
    (*line)[*length] = '\0';
    buf->data += size + 1;
    buf->start += size + 1;
    buf->length -= size + 1;
    return true;
}

char *buf_text(struct buf *buf)
{
    *buf_reserve(buf, 1) = '\0';
    return buf->data;
}
