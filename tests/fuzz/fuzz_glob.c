// Any pattern on any text, against a slow matcher that fills the whole table of "does this rest of
// the pattern match that rest of the text". The first byte says how long the pattern is.
//
// covers: common/glob.c
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/glob.h"

enum { MOST = 256 }; // of the bytes of an input that are used

// One item of a pattern: a star, or the bytes that it takes.
struct item {
    bool is_star;
    bool takes[256];
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void take_range(struct item *item, int from, int to)
{
    for (int byte = from < to ? from : to; byte <= (from < to ? to : from); ++byte)
        item->takes[(uint8_t)byte] = true;
}

// Returns what follows the set; `at` is behind its bracket.
static const int8_t *read_set(struct item *item, const int8_t *at, const int8_t *end)
{
    bool inverted = at < end && *at == '^';
    if (inverted)
        ++at;
    for (; at < end && *at != ']'; ++at) {
        if (*at == '\\' && at + 1 < end) {
            ++at;
            take_range(item, *at, *at);
        } else if (at + 2 < end && at[1] == '-') {
            take_range(item, at[0], at[2]);
            at += 2;
        } else {
            take_range(item, *at, *at);
        }
    }
    for (int byte = 0; inverted && byte < 256; ++byte)
        item->takes[byte] = !item->takes[byte];
    return at < end ? at + 1 : end;
}

static size_t read_items(const int8_t *at, size_t length, struct item *items)
{
    const int8_t *end = at + length;
    size_t count = 0;
    while (at < end) {
        struct item *item = &items[count++];
        int8_t first = *at++;
        memset(item, 0, sizeof *item);
        item->is_star = first == '*';
        if (first == '[') {
            at = read_set(item, at, end);
        } else if (first == '?') {
            take_range(item, -128, 127);
        } else {
            if (first == '\\' && at < end)
                first = *at++;
            take_range(item, first, first);
        }
    }
    return count;
}

static bool matches_slowly(const char *pattern, size_t pattern_length, const char *text,
                           size_t text_length)
{
    static struct item items[MOST];
    static bool matches[MOST + 1][MOST + 1]; // by first item, by first byte
    size_t count = read_items((const int8_t *)pattern, pattern_length, items);
    memset(matches, 0, sizeof matches);
    matches[count][text_length] = true;
    for (size_t i = count; i-- > 0;)
        for (size_t at = text_length + 1; at-- > 0;) {
            bool has_byte = at < text_length;
            if (items[i].is_star)
                matches[i][at] = matches[i + 1][at] || (has_byte && matches[i][at + 1]);
            else
                matches[i][at] =
                    has_byte && items[i].takes[(uint8_t)text[at]] && matches[i + 1][at + 1];
        }
    return matches[0][0];
}

// A copy of its own, so that a look behind its end is noticed.
static char *copy_of(const uint8_t *bytes, size_t length)
{
    char *copy = malloc(length);
    require(copy != NULL || length == 0);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MOST)
        return 0;
    size_t pattern_length = data[0] % size, text_length = size - 1 - pattern_length;
    char *pattern = copy_of(data + 1, pattern_length);
    char *text = copy_of(data + 1 + pattern_length, text_length);
    bool matches = glob_match(pattern, pattern_length, text, text_length);
    require(matches == matches_slowly(pattern, pattern_length, text, text_length));

    size_t prefix = glob_literal_prefix(pattern, pattern_length);
    require(prefix <= pattern_length);
    if (matches && prefix > 0)
        require(prefix <= text_length && memcmp(pattern, text, prefix) == 0);
    free(pattern);
    free(text);
    return 0;
}
