// Escapes what a terminal would obey.
//
// Invariant: every byte is either part of a whole UTF-8 character that is no control character, or
// stands as \xNN.

#include "common/printable.h"

#include <string.h>

#include "common/json_token.h"

// How many bytes the character at the front has, by its first byte; 0: none begins so.
static size_t character_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xF0)
        return 4;
    if (first >= 0xE0)
        return 3;
    return first >= 0xC0 ? 2 : 0;
}

// U+0080 to U+009F: terminals take some of them for the beginning of a sequence.
static bool is_control(const unsigned char *bytes, size_t length)
{
    if (length == 1)
        return bytes[0] < 0x20 || bytes[0] == 0x7F;
    return length == 2 && bytes[0] == 0xC2 && bytes[1] < 0xA0;
}

// The length of the character at the front that may stand as it is; 0: its first byte may not.
static size_t plain_length(const char *bytes, size_t left, enum printable_kind kind)
{
    size_t length = character_length((unsigned char)*bytes);
    if (kind == PRINTABLE_TEXT && (*bytes == '\n' || *bytes == '\t'))
        return 1;
    if (length == 0 || length > left || is_control((const unsigned char *)bytes, length))
        return 0;
    return json_token_is_utf8(bytes, length) ? length : 0;
}

void printable_append(struct buf *out, const char *bytes, size_t length, enum printable_kind kind)
{
    size_t from = 0, at = 0;
    while (at < length) {
        size_t plain = plain_length(bytes + at, length - at, kind);
        if (plain > 0) {
            at += plain;
            continue;
        }
        buf_append(out, bytes + from, at - from);
        buf_printf(out, "\\x%02X", (unsigned char)bytes[at]);
        from = ++at;
    }
    if (length > from)
        buf_append(out, bytes + from, length - from);
}

bool printable_is_text(const char *bytes, size_t length)
{
    return length == 0 || (!memchr(bytes, '\0', length) && json_token_is_utf8(bytes, length));
}

void printable_size(struct buf *out, unsigned long long bytes)
{
    static const char *const units[] = {"KB", "MB", "GB", "TB"};
    double value = (double)bytes / 1024;
    size_t unit = 0;
    if (bytes < 1024) {
        buf_printf(out, "%llu byte%s", bytes, bytes == 1 ? "" : "s");
        return;
    }
    for (; value >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1024;
    buf_printf(out, "%.1f %s", value, units[unit]);
}
