// Bytes of others, for a terminal: nothing in them moves the cursor, changes a colour or a title.
#ifndef GW_COMMON_PRINTABLE_H
#define GW_COMMON_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

enum printable_kind {
    PRINTABLE_LINE, // newlines and tabs are escaped too
    PRINTABLE_TEXT, // they stay
};

// Appends the bytes with \xNN for each that is no text: control characters, C1 among them, and what
// is not UTF-8. A backslash stays as it is, so that keys of the gateway can be copied.
void printable_append(struct buf *out, const char *bytes, size_t length, enum printable_kind kind);

// Text that people want to see: UTF-8 without a NUL.
bool printable_is_text(const char *bytes, size_t length);

// "512 bytes", "2.3 KB", "64.0 MB": 1024-based, for people.
void printable_size(struct buf *out, unsigned long long bytes);

#endif
