// Paths, tokens and field values in a configuration.
//
// The grammar is that of requests (gateway/grammar.h, gateway/target.h), for strings that end with
// a NUL.

#include "common/http_text.h"

#include <ctype.h>
#include <string.h>

// An escape that stays when a request's path is brought to its normal form: upper case, and of a
// byte that needs it.
static bool is_escape(const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    if (strspn(text + 1, digits) < 2)
        return false;
    int byte =
        (int)(strchr(digits, text[1]) - digits) * 16 + (int)(strchr(digits, text[2]) - digits);
    return byte > 0 && (byte >= 0x80 || (!isalnum(byte) && !strchr("-._~", byte)));
}

// What may stand between two slashes: not nothing, no dots only, the bytes of a request's path.
static bool is_segment(const char *segment, size_t length)
{
    if (length == 0 || (length <= 2 && strspn(segment, ".") >= length))
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)segment[i];
        bool is_plain = byte > ' ' && byte < 0x7F && !strchr("%?#\\*", byte);
        if (!is_plain && (byte != '%' || !is_escape(segment + i)))
            return false;
    }
    return true;
}

bool http_text_is_pattern(const char *path, bool *is_prefix)
{
    *is_prefix = false;
    if (path[0] != '/')
        return false;
    while (path[0] == '/' && path[1] != '\0') {
        size_t length = strcspn(++path, "/");
        *is_prefix = strcmp(path, "*") == 0;
        if (!*is_prefix && !is_segment(path, length))
            return false;
        path += length;
    }
    return true;
}

bool http_text_is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    const char *at = text;
    while (*at && ((unsigned char)*at < 0x80) &&
           (isalnum((unsigned char)*at) || strchr(others, *at)))
        at++;
    return at > text && !*at;
}

bool http_text_is_cookie(const char *text)
{
    return *text && !text[strcspn(text, "=;, \t")] && http_text_is_value(text);
}

bool http_text_is_value(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7F)
            return false;
    return true;
}
