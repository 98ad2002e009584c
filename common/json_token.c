// Checks one string or one number of a JSON text, byte for byte.
//
// Not its job: what stands between tokens (json_scan.c), and values (json-c makes them; only keys
// are decoded here, to find duplicates however they are written).

#include "common/json_token.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
    const char *text;
    size_t length;
    size_t at;
    struct buf *key;
    struct err *err;
};

// --- strings ----------------------------------------------------------------------------------

// The length of the UTF-8 sequence at bytes, 0 when there is none (RFC 3629: no surrogates, no
// overlong forms, nothing above U+10FFFF).
static size_t utf8_length(const unsigned char *bytes, size_t left)
{
    size_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    if (length == 1)
        return 1;
    if (bytes[0] < 0xC2 || bytes[0] > 0xF4 || left < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    bool is_overlong =
        (bytes[0] == 0xE0 && bytes[1] < 0xA0) || (bytes[0] == 0xF0 && bytes[1] < 0x90);
    bool is_surrogate = bytes[0] == 0xED && bytes[1] > 0x9F;
    bool is_too_high = bytes[0] == 0xF4 && bytes[1] > 0x8F;
    return is_overlong || is_surrogate || is_too_high ? 0 : length;
}

static void append_code_point(struct buf *key, uint32_t code)
{
    unsigned char bytes[4];
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        bytes[i] = (unsigned char)(0x80 | (code & 0x3F));
    bytes[0] = (unsigned char)(lead[length] | code);
    buf_append(key, bytes, length);
}

// "\uXXXX" at the cursor, which is left behind it.
static bool take_unit(struct cursor *cursor, uint32_t *unit)
{
    const char *at = cursor->text + cursor->at;
    if (at[0] != '\\' || at[1] != 'u')
        return false;
    *unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = at[i] >= '0' && at[i] <= '9'   ? at[i] - '0'
                    : at[i] >= 'a' && at[i] <= 'f' ? at[i] - 'a' + 10
                    : at[i] >= 'A' && at[i] <= 'F' ? at[i] - 'A' + 10
                                                   : -1;
        if (digit < 0) // the NUL behind the text ends here too
            return false;
        *unit = *unit << 4 | (uint32_t)digit;
    }
    cursor->at += 6;
    return true;
}

static int take_unicode_escape(struct cursor *cursor)
{
    size_t start = cursor->at;
    uint32_t code, low;

    if (!take_unit(cursor, &code))
        return err_set(cursor->err, "\\u needs four hexadecimal digits");
    if (code >= 0xD800 && code <= 0xDFFF) {
        if (code >= 0xDC00 || !take_unit(cursor, &low) || low < 0xDC00 || low > 0xDFFF) {
            cursor->at = start;
            return err_set(cursor->err, "half of a surrogate pair without its other half");
        }
        code = 0x10000 + ((code - 0xD800) << 10 | (low - 0xDC00));
    }
    if (!cursor->key)
        return 0;
    if (code == 0) {
        cursor->at = start;
        return err_set(cursor->err, "a NUL character in a key");
    }
    append_code_point(cursor->key, code);
    return 0;
}

static int take_escape(struct cursor *cursor)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char letter = cursor->text[cursor->at + 1];

    if (letter == 'u')
        return take_unicode_escape(cursor);
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (!found)
        return err_set(cursor->err, "an escape that JSON does not know");
    if (cursor->key)
        buf_append(cursor->key, &values[found - letters], 1);
    cursor->at += 2;
    return 0;
}

static int take_character(struct cursor *cursor)
{
    const unsigned char *byte = (const unsigned char *)cursor->text + cursor->at;
    if (*byte == '\\')
        return take_escape(cursor);
    if (*byte < 0x20)
        return err_set(cursor->err, "a control character in a string; write \\u%04x", *byte);
    size_t length = utf8_length(byte, cursor->length - cursor->at);
    if (length == 0)
        return err_set(cursor->err, "a string that is not UTF-8");
    if (cursor->key)
        buf_append(cursor->key, byte, length);
    cursor->at += length;
    return 0;
}

int json_token_string(const char *text, size_t length, size_t *at, struct buf *key, struct err *err)
{
    struct cursor cursor = {text, length, *at + 1, key, err};
    int result = 0;

    while (result == 0 && cursor.at < length && text[cursor.at] != '"')
        result = take_character(&cursor);
    if (result == 0 && cursor.at >= length)
        result = err_set(err, "the string has no end");
    else if (result == 0)
        cursor.at++;
    *at = cursor.at;
    return result;
}

// --- numbers ----------------------------------------------------------------------------------

static size_t count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

// Leaves *at behind the digits, of which there must be one.
static int take_digits(const char *text, size_t *at, struct err *err)
{
    size_t digits = count_digits(text + *at);
    if (digits == 0)
        return err_set(err, "the number lacks a digit here");
    *at += digits;
    return 0;
}

static int check_range(const char *start, bool is_integer, struct err *err)
{
    errno = 0;
    if (is_integer) {
        (void)strtoll(start, NULL, 10);
        return errno == ERANGE ? err_set(err, "the number does not fit 64 bits") : 0;
    }
    return isfinite(strtod(start, NULL)) ? 0 : err_set(err, "the number is too large");
}

int json_token_number(const char *text, size_t *at, struct err *err)
{
    size_t start = *at;
    bool is_integer = true;

    *at += text[*at] == '-';
    if (text[*at] == '0' && count_digits(text + *at) > 1)
        return err_set(err, "a number must not begin with 0");
    if (take_digits(text, at, err) < 0)
        return -1;
    if (text[*at] == '.') {
        is_integer = false;
        ++*at;
        if (take_digits(text, at, err) < 0)
            return -1;
    }
    if (text[*at] == 'e' || text[*at] == 'E') {
        is_integer = false;
        ++*at;
        *at += text[*at] == '+' || text[*at] == '-';
        if (take_digits(text, at, err) < 0)
            return -1;
    }
    if (check_range(text + start, is_integer, err) < 0) {
        *at = start;
        return -1;
    }
    return 0;
}

bool json_token_is_utf8(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t step = utf8_length((const unsigned char *)text + at, length - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}
