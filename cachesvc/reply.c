// Writes replies. Each reserves its room once and fills it; only errors go through printf.
#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_SIZE = 20,
    HEAD_SIZE = DIGITS_SIZE + 4
}; // of any 64-bit number; with sign, type, end

static char *put_unsigned(char *at, uint64_t value)
{
    char digits[DIGITS_SIZE];
    size_t first = DIGITS_SIZE;
    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    memcpy(at, digits + first, DIGITS_SIZE - first);
    return at + DIGITS_SIZE - first;
}

static char *put_line_end(char *at)
{
    at[0] = '\r';
    at[1] = '\n';
    return at + 2;
}

static char *put_head(char *at, char type, uint64_t value)
{
    *at++ = type;
    return put_line_end(put_unsigned(at, value));
}

void reply_simple(struct buf *out, const char *text)
{
    size_t length = strlen(text);
    char *at = buf_reserve(out, length + 3);
    at[0] = '+';
    memcpy(at + 1, text, length);
    put_line_end(at + 1 + length);
    buf_commit(out, length + 3);
}

void reply_error(struct buf *out, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int printed = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t length = printed > 0 ? (size_t)printed : 0;
    char *at = buf_reserve(out, length + 3);
    at[0] = '-';
    if (length > 0)
        vsnprintf(at + 1, length + 1, format, again);
    va_end(again);
    for (size_t i = 1; i <= length; ++i)
        if (at[i] == '\r' || at[i] == '\n')
            at[i] = ' ';
    put_line_end(at + 1 + length);
    buf_commit(out, length + 3);
}

void reply_integer(struct buf *out, int64_t value)
{
    char *start = buf_reserve(out, HEAD_SIZE), *at = start;
    *at++ = ':';
    if (value < 0)
        *at++ = '-';
    at = put_unsigned(at, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    buf_commit(out, (size_t)(put_line_end(at) - start));
}

char *reply_bulk_room(struct buf *out, size_t length)
{
    char *start = buf_reserve(out, HEAD_SIZE + length + 2);
    char *at = put_head(start, '$', length);
    buf_commit(out, (size_t)(put_line_end(at + length) - start));
    return at;
}

void reply_bulk(struct buf *out, const void *bytes, size_t length)
{
    char *at = reply_bulk_room(out, length);
    if (length > 0)
        memcpy(at, bytes, length);
}

void reply_bulk_text(struct buf *out, const char *text)
{
    reply_bulk(out, text, strlen(text));
}

void reply_null_bulk(struct buf *out)
{
    buf_append(out, "$-1\r\n", 5);
}

void reply_null_array(struct buf *out)
{
    buf_append(out, "*-1\r\n", 5);
}

void reply_array(struct buf *out, size_t count)
{
    char *start = buf_reserve(out, HEAD_SIZE);
    buf_commit(out, (size_t)(put_head(start, '*', count) - start));
}

// --- two of the same read -----------------------------------------------------------------------

static bool take_number(struct reply_text *text, char kind, long long *number)
{
    const char *end = text->length > 0 ? memchr(text->bytes, '\n', text->length) : NULL;
    if (!end || *text->bytes != kind)
        return false;
    *number = strtoll(text->bytes + 1, NULL, 10);
    text->length -= (size_t)(end + 1 - text->bytes);
    text->bytes = end + 1;
    return true;
}

// A bulk string with its head; false: it is none, or cut off.
static bool take_bulk(struct reply_text *text, struct reply_text *bulk, bool *is_null)
{
    struct reply_text rest = *text;
    long long length;
    if (!take_number(&rest, '$', &length) || length < -1)
        return false;
    *is_null = length == -1;
    size_t after = *is_null ? 0 : (size_t)length + 2;
    if (after > rest.length)
        return false;
    *bulk = (struct reply_text){text->bytes, (size_t)(rest.bytes - text->bytes) + after};
    *text = (struct reply_text){rest.bytes + after, rest.length - after};
    return true;
}

static bool merge_arrays(struct buf *out, struct reply_text first, struct reply_text second)
{
    long long count, other;
    if (!take_number(&first, '*', &count) || !take_number(&second, '*', &other) || count != other)
        return false;
    size_t before = out->length;
    reply_array(out, (size_t)count);
    for (long long i = 0; i < count; ++i) {
        struct reply_text a, b;
        bool a_is_null, b_is_null;
        if (!take_bulk(&first, &a, &a_is_null) || !take_bulk(&second, &b, &b_is_null)) {
            out->length = before;
            return false;
        }
        const struct reply_text *known = a_is_null ? &b : &a;
        buf_append(out, known->bytes, known->length);
    }
    return true;
}

void reply_merge(struct buf *out, struct reply_text first, struct reply_text second)
{
    struct reply_text a = first, b = second;
    long long number, other;
    if (take_number(&a, ':', &number) && take_number(&b, ':', &other))
        reply_integer(out, number > other ? number : other);
    else if (!merge_arrays(out, first, second))
        buf_append(out, first.bytes, first.length);
}
