// Paths in their one normal form.
//
// Two passes at most. The first only looks: most paths are normal already and are returned as they
// are. The second starts over, segment by segment, when it met something to change.
//
// Invariant: the output never gets ahead of the input, so a buffer of the input's length is enough.
// Escapes are decoded before dot segments are resolved and never twice: "%2e%2e" is "..", "%252e"
// stays. Slashes are merged before that as well: "/a//../b" is "/b".
#include "target.h"

#include <stdbool.h>
#include <string.h>

#include "grammar.h"

static bool is_dot_segment(const char *segment, size_t length)
{
    return length > 0 && length <= 2 && segment[0] == '.' && segment[length - 1] == '.';
}

// The byte that the escape at `at` stands for; -1 when it is none, or NUL.
static int escaped_byte(const char *at, const char *end)
{
    if (end - at < 3)
        return -1;
    int high = grammar_hex(at[1]);
    int low = grammar_hex(at[2]);
    if (high < 0 || low < 0 || high + low == 0)
        return -1;
    return high * 16 + low;
}

static bool is_normal_escape(const char *at, int byte)
{
    return !grammar_is((char)byte, GRAMMAR_UNRESERVED) && at[1] <= 'F' && at[2] <= 'F';
}

// Does the segment behind the slash at `at` need rewriting: empty (a second slash) or dots?
static bool is_odd_segment(const char *at, const char *end)
{
    size_t left = (size_t)(end - at - 1);
    if (left == 0 || (at[1] != '/' && at[1] != '.'))
        return false;
    if (at[1] == '/')
        return true;
    const char *slash = memchr(at + 1, '/', left < 3 ? left : 3);
    return is_dot_segment(at + 1, slash == NULL ? left : (size_t)(slash - at - 1));
}

enum look { LOOK_NORMAL, LOOK_REWRITE, LOOK_BAD };

static enum look look_at(const char *at, const char *end)
{
    while (at < end) {
        if (*at == '/') {
            if (is_odd_segment(at, end))
                return LOOK_REWRITE;
            ++at;
        } else if (*at == '%') {
            int byte = escaped_byte(at, end);
            if (byte < 0)
                return LOOK_BAD;
            if (!is_normal_escape(at, byte))
                return LOOK_REWRITE;
            at += 3;
        } else {
            return LOOK_BAD;
        }
        at = grammar_skip(at, end, GRAMMAR_PATH);
    }
    return LOOK_NORMAL;
}

// Writes the escape at `at` in its normal form. Returns where to write next, or NULL.
static char *copy_escape(const char *at, const char *end, char *to)
{
    static const char digits[] = "0123456789ABCDEF";
    int byte = escaped_byte(at, end);
    if (byte < 0)
        return NULL;
    if (grammar_is((char)byte, GRAMMAR_UNRESERVED)) {
        *to = (char)byte;
        return to + 1;
    }
    to[0] = '%';
    to[1] = digits[byte / 16];
    to[2] = digits[byte % 16];
    return to + 3;
}

// Writes what stands before the next slash; *from moves there. Returns where to write next, or
// NULL.
static char *copy_segment(const char **from, const char *end, char *to)
{
    const char *at = *from;
    while (at < end && *at != '/') {
        if (*at == '%') {
            to = copy_escape(at, end, to);
            if (to == NULL)
                return NULL;
            at += 3;
        } else if (grammar_is(*at, GRAMMAR_PATH)) {
            *to++ = *at++;
        } else {
            return NULL;
        }
    }
    *from = at;
    return to;
}

// Takes back the dot segment written at `segment` (behind its slash), and for ".." the one before.
// Returns where its slash stood, which is where to write next, or NULL above the root.
static char *take_back(char *out, char *segment, size_t length)
{
    char *slash = segment - 1;
    if (length == 1)
        return slash;
    if (slash == out)
        return NULL;
    do
        --slash;
    while (*slash != '/');
    return slash;
}

static char *rewrite(const char *at, const char *end, char *out)
{
    char *to = out;
    while (at < end) {
        while (at < end && *at == '/')
            ++at;
        *to++ = '/';
        char *segment = to;
        to = copy_segment(&at, end, to);
        if (to == NULL)
            return NULL;
        if (!is_dot_segment(segment, (size_t)(to - segment)))
            continue;
        to = take_back(out, segment, (size_t)(to - segment));
        if (to == NULL)
            return NULL;
        if (at == end)
            *to++ = '/'; // "/a/." and "/a/b/.." name the directory
    }
    return to;
}

int target_normalise(struct span path, char *out, struct span *normal)
{
    const char *end = path.bytes + path.length;
    *normal = path;
    if (path.length == 1 && *path.bytes == '*')
        return 0;
    if (path.length == 0 || *path.bytes != '/')
        return -1;
    enum look look = look_at(path.bytes, end);
    if (look != LOOK_REWRITE)
        return look == LOOK_NORMAL ? 0 : -1;
    char *written = rewrite(path.bytes, end, out);
    if (written == NULL)
        return -1;
    *normal = (struct span){out, (size_t)(written - out)};
    return 0;
}
