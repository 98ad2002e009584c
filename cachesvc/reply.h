// Replies of the Redis protocol (RESP2), appended to what a client will be sent.
#ifndef GW_CACHESVC_REPLY_H
#define GW_CACHESVC_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

// A status as "OK". The text has no line ends in it.
void reply_simple(struct buf *out, const char *text);

// The text starts with a code ("ERR ..."). Line ends in it become blanks.
void reply_error(struct buf *out, const char *format, ...) GW_PRINTF(2, 3);

void reply_integer(struct buf *out, int64_t value);

// Any bytes. NULL is allowed when length is 0 (an empty value, not a null).
void reply_bulk(struct buf *out, const void *bytes, size_t length);

// The same of bytes that the caller writes: room for `length` of them.
char *reply_bulk_room(struct buf *out, size_t length);

void reply_bulk_text(struct buf *out, const char *text);

void reply_null_bulk(struct buf *out);
void reply_null_array(struct buf *out);

// The head of an array; its elements are the next `count` replies.
void reply_array(struct buf *out, size_t count);

struct reply_text {
    const char *bytes;
    size_t length;
};

// Two replies to the same read of several keys become one that knows what either knows: of arrays
// of bulk strings each element that is not null, of numbers, which count keys, the larger. Where
// they are of different kinds, and of all other kinds, it is the first.
void reply_merge(struct buf *out, struct reply_text first, struct reply_text second);

#endif
