// Byte classes and the small parsers that request, response and configuration share.
//
// Not its job: lines. Whoever splits a head into lines decides what ends one.
//
// Scans look at a byte once. Field values, which are most of a head, are looked at eight bytes at a
// time: a word without a control character is skipped whole, any other one byte by byte.
#include "grammar.h"

#include <arpa/inet.h>
#include <string.h>

// Bits of enum grammar_class, sixteen bytes a row.
// clang-format off
const unsigned char grammar_classes[256] = {
      0,   0,   0,   0,   0,   0,   0,   0,   0,  64,   0,   0,   0,   0,   0,   0,
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
     64,  91,  82,  65,  91,  67,  91,  91,  90,  90,  91,  91,  90,  95,  95,  66,
    127, 127, 127, 127, 127, 127, 127, 127, 127, 127,  82,  90,  82,  90,  82,  66,
     82,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,
     95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  82,  66,  82,  83,  95,
     83,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,
     95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  95,  82,  83,  82,  95,   0,
     64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,
     64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,
     64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,
     64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,
     64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,
     64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,
     64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,
     64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,
};
// clang-format on

int grammar_hex(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

const char *grammar_skip(const char *from, const char *end, enum grammar_class class)
{
    while (from < end && grammar_is(*from, class))
        ++from;
    return from;
}

// Is any of the eight bytes below 0x20, or 0x7f? A borrow can only report too much when a lower
// byte was rightly reported.
static bool word_has_control(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t del = word ^ (ones * 0x7f);
    uint64_t below = (word - ones * 0x20) & ~word;
    return ((below | ((del - ones) & ~del)) & high) != 0;
}

const char *grammar_value_end(const char *from, const char *end)
{
    uint64_t word;
    while (end - from >= (ptrdiff_t)sizeof(word)) {
        memcpy(&word, from, sizeof(word));
        if (word_has_control(word)) {
            const char *stop = grammar_skip(from, from + sizeof(word), GRAMMAR_VALUE);
            if (stop != from + sizeof(word))
                return stop; // else it was a HTAB
        }
        from += sizeof(word);
    }
    return grammar_skip(from, end, GRAMMAR_VALUE);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

struct span grammar_trim(struct span text)
{
    while (text.length > 0 && is_blank(text.bytes[text.length - 1]))
        --text.length;
    while (text.length > 0 && is_blank(*text.bytes)) {
        ++text.bytes;
        --text.length;
    }
    return text;
}

bool grammar_equal(struct span text, struct span lower)
{
    if (text.length != lower.length)
        return false;
    for (size_t i = 0; i < text.length; ++i) {
        char byte = text.bytes[i];
        if (byte >= 'A' && byte <= 'Z')
            byte = (char)(byte | 0x20);
        if (byte != lower.bytes[i])
            return false;
    }
    return true;
}

bool grammar_decimal(struct span text, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < text.length; ++i) {
        if (!grammar_is(text.bytes[i], GRAMMAR_DIGIT))
            return false;
        uint64_t digit = (uint64_t)(text.bytes[i] - '0');
        if (sum > (UINT64_MAX - 1 - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return text.length > 0;
}

// `from` stands behind '['. Returns what follows the ']', or NULL.
static const char *skip_ipv6(const char *from, const char *end)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    const char *close = memchr(from, ']', (size_t)(end - from));
    if (close == NULL || (size_t)(close - from) >= sizeof(text))
        return NULL;
    memcpy(text, from, (size_t)(close - from));
    text[close - from] = '\0';
    // A NUL inside would hide what stands behind it.
    if (strlen(text) != (size_t)(close - from) || inet_pton(AF_INET6, text, &address) != 1)
        return NULL;
    return close + 1;
}

// Returns what follows the name, or NULL when it is empty or holds a broken escape.
static const char *skip_registered_name(const char *from, const char *end)
{
    const char *at = from;
    for (;;) {
        at = grammar_skip(at, end, GRAMMAR_HOST);
        if (at == end || *at != '%')
            break;
        if (end - at < 3 || grammar_hex(at[1]) < 0 || grammar_hex(at[2]) < 0)
            return NULL;
        at += 3;
    }
    return at > from ? at : NULL;
}

bool grammar_is_authority(struct span text)
{
    const char *at = text.bytes;
    const char *end = text.bytes + text.length;
    uint64_t port;
    if (text.length == 0)
        return false;
    at = *at == '[' ? skip_ipv6(at + 1, end) : skip_registered_name(at, end);
    if (at == NULL)
        return false;
    if (at == end)
        return true;
    if (*at++ != ':')
        return false;
    struct span digits = {at, (size_t)(end - at)};
    return digits.length == 0 || (grammar_decimal(digits, &port) && port <= 65535);
}

bool grammar_next_element(struct span *rest, struct span *element)
{
    while (rest->length > 0) {
        const char *comma = memchr(rest->bytes, ',', rest->length);
        size_t length = comma == NULL ? rest->length : (size_t)(comma - rest->bytes);
        size_t used = comma == NULL ? length : length + 1;
        *element = grammar_trim((struct span){rest->bytes, length});
        rest->bytes += used;
        rest->length -= used;
        if (element->length > 0)
            return true;
    }
    return false;
}
