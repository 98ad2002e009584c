// What machines that share a Redis tell each other: "I changed these". No I/O.
//
//   "gwctl1 <id> <previous> <epoch>\n" { <letter><length>:<bytes> }*
//
//   id        16 hex digits, of the sender
//   previous  the sender's last epoch before this one that Redis is known to have
//   epoch     this one; equal to previous in a message that changes nothing
//   letters   k a key, p a pattern of keys, t a tag ("<slot> <version>\n"), f everything
#ifndef GW_CACHESVC_MIRROR_MESSAGE_H
#define GW_CACHESVC_MIRROR_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "mirror_value.h"

struct mirror_head {
    uint64_t id, previous, epoch;
};

enum mirror_item_kind { ITEM_KEY = 'k', ITEM_PATTERN = 'p', ITEM_TAG = 't', ITEM_EVERYTHING = 'f' };

struct mirror_item {
    enum mirror_item_kind kind;
    const char *bytes; // of a key or pattern, in the message
    size_t length;
    struct mirror_tag tag;
};

void mirror_message_begin(struct buf *out, const struct mirror_head *head);
void mirror_message_add(struct buf *out, enum mirror_item_kind kind, const char *bytes,
                        size_t length);
void mirror_message_add_tag(struct buf *out, const struct mirror_tag *tag);

struct mirror_reader {
    const char *at, *end;
};

// -1: it is no such message. Its items may still turn out to be broken.
int mirror_message_read(const char *text, size_t length, struct mirror_head *head,
                        struct mirror_reader *reader) GW_MUST_USE;

// 1: an item; 0: the end; -1: the rest is broken.
int mirror_message_next(struct mirror_reader *reader, struct mirror_item *item) GW_MUST_USE;

#endif
