// Text that another program wrote, made safe to be shown: in a log line, a terminal, JSON. Pure.
#ifndef GW_COMMON_FOREIGN_TEXT_H
#define GW_COMMON_FOREIGN_TEXT_H

#include <stddef.h>

// Copies at most size - 1 bytes and a NUL: control characters, and bytes that are no UTF-8, become
// '?'; a tab becomes a space; a character that does not fit whole is left out, and so are blanks at
// the end. size >= 1. Returns the length.
size_t foreign_text_copy(char *out, size_t size, const char *bytes, size_t length);

#endif
