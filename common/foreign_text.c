// Makes foreign text fit to be shown. Bytes that mean something to a terminal or break JSON's UTF-8
// go; everything that a person could have written stays.

#include "common/foreign_text.h"

#include <stdint.h>

// The length of the UTF-8 sequence at the start, 0 when it is none (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF). Also 0 for the C1 control characters, U+0080 to U+009F.
static size_t sequence_length(const unsigned char *bytes, size_t length)
{
    static const uint32_t smallest[] = {0, 0, 0xa0, 0x800, 0x10000};
    unsigned char first = bytes[0];
    size_t count = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    uint32_t code;

    if (count == 0 || count > length)
        return 0;
    code = first & (0xffu >> (count + 1));
    for (size_t i = 1; i < count; ++i) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < smallest[count] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return count;
}

size_t foreign_text_copy(char *out, size_t size, const char *bytes, size_t length)
{
    const unsigned char *in = (const unsigned char *)bytes;
    size_t used = 0;

    while (length > 0) {
        size_t count = in[0] < 0x80 ? 1 : sequence_length(in, length);
        size_t step = count ? count : 1;
        if (used + step >= size)
            break;
        for (size_t i = 0; i < step; ++i)
            out[used++] = (char)in[i];
        if (count == 0 || (in[0] < ' ' && in[0] != '\t') || in[0] == 0x7f)
            out[used - 1] = '?';
        else if (in[0] == '\t')
            out[used - 1] = ' ';
        in += step;
        length -= step;
    }
    while (used > 0 && out[used - 1] == ' ')
        --used;
    out[used] = '\0';
    return used;
}
