// A growing byte buffer. Readable bytes are [data, data + length). Not NUL-terminated unless asked.
#ifndef GW_COMMON_BUF_H
#define GW_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

// Zero-initialise with BUF_INIT or memset. `start` is how far the allocation was consumed.
struct buf {
    char *data;
    size_t length;
    size_t capacity; // of the allocation, from its start
    size_t start;    // bytes consumed before data
};

#define BUF_INIT                                                                                   \
    {                                                                                              \
        0                                                                                          \
    }

void buf_free(struct buf *buf); // leaves it as BUF_INIT
void buf_append(struct buf *buf, const void *bytes, size_t length);
void buf_append_text(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) GW_PRINTF(2, 3);

// Room for at least `length` bytes behind the readable ones; write there, then buf_commit.
char *buf_reserve(struct buf *buf, size_t length);
void buf_commit(struct buf *buf, size_t length);

// Drops bytes from the front. Amortised O(1).
void buf_consume(struct buf *buf, size_t length);

// The next line without its '\n' (NUL-terminated in place, a '\r' before it is dropped too), valid
// until the buffer changes. Returns false and leaves everything when no whole line is there.
bool buf_take_line(struct buf *buf, char **line, size_t *length);

// A NUL behind the readable bytes (not counted in length). Returns data.
char *buf_text(struct buf *buf);

#endif
