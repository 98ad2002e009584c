// The matcher for key patterns.
//
// Everything but '*' takes exactly one byte of the text. So, when the pattern fails behind a star,
// only that star has to take one byte more: an earlier one that took more could only bring us to
// the same star later in the text. One place to go back to is enough, and nothing is exponential.
#include "common/glob.h"

#include <stdint.h>

// Ends are compared as signed bytes, as Redis does where char is signed: `[a-\xff]` is what lies
// between -1 and 'a'. Explicit, so that it does not depend on the machine.
static bool is_between(char byte, char from, char to)
{
    signed char value = (signed char)byte, low = (signed char)from, high = (signed char)to;
    return low <= high ? low <= value && value <= high : high <= value && value <= low;
}

// The set that starts at pattern[0]. *used is its length in the pattern.
static bool set_has(const char *pattern, size_t length, char byte, size_t *used)
{
    size_t at = 1;
    bool is_inverted = at < length && pattern[at] == '^';
    bool has = false;
    if (is_inverted)
        ++at;
    while (at < length && pattern[at] != ']') {
        size_t left = length - at;
        if (left >= 2 && pattern[at] == '\\') {
            has |= pattern[at + 1] == byte;
            at += 2;
        } else if (left >= 3 && pattern[at + 1] == '-') { // the second end may be a ']'
            has |= is_between(byte, pattern[at], pattern[at + 2]);
            at += 3;
        } else {
            has |= pattern[at] == byte;
            ++at;
        }
    }
    *used = at < length ? at + 1 : length;
    return has != is_inverted;
}

// What stands at pattern[0], which is no star, against one byte. *used is its length.
static bool item_matches(const char *pattern, size_t length, char byte, size_t *used)
{
    *used = 1;
    switch (pattern[0]) {
    case '?':
        return true;
    case '[':
        return set_has(pattern, length, byte, used);
    case '\\':
        if (length == 1)
            return byte == '\\';
        *used = 2;
        return pattern[1] == byte;
    default:
        return pattern[0] == byte;
    }
}

bool glob_match(const char *pattern, size_t pattern_length, const char *text, size_t text_length)
{
    size_t at = 0, text_at = 0;
    size_t behind_star = SIZE_MAX; // in the pattern, of the last star seen
    size_t star_end = 0;           // how far into the text that star reaches
    while (text_at < text_length) {
        size_t used;
        if (at < pattern_length && pattern[at] == '*') {
            behind_star = ++at;
            star_end = text_at;
            if (at == pattern_length)
                return true;
        } else if (at < pattern_length &&
                   item_matches(pattern + at, pattern_length - at, text[text_at], &used)) {
            at += used;
            ++text_at;
        } else if (behind_star != SIZE_MAX) {
            at = behind_star;
            text_at = ++star_end;
        } else {
            return false;
        }
    }
    while (at < pattern_length && pattern[at] == '*')
        ++at;
    return at == pattern_length;
}

size_t glob_literal_prefix(const char *pattern, size_t length)
{
    size_t at = 0;
    while (at < length && pattern[at] != '*' && pattern[at] != '?' && pattern[at] != '[' &&
           pattern[at] != '\\')
        ++at;
    return at;
}
