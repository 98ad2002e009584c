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

#endif
