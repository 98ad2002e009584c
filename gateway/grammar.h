// The pieces of HTTP's grammar that several parsers share (RFC 9110 §5, RFC 3986 §3.2.2).
#ifndef GW_GATEWAY_GRAMMAR_H
#define GW_GATEWAY_GRAMMAR_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

// Classes of bytes, as bits of grammar_classes[byte].
enum grammar_class {
    GRAMMAR_TOKEN = 1,      // tchar: methods, field names
    GRAMMAR_TARGET = 2,     // visible ASCII but '#': a request target
    GRAMMAR_UNRESERVED = 4, // RFC 3986: never needs a percent escape
    GRAMMAR_HOST = 8,       // reg-name but '%': unreserved, sub-delims
    GRAMMAR_PATH = 16,      // GRAMMAR_TARGET but '%', '/', '?' and '\\'
    GRAMMAR_DIGIT = 32,
    GRAMMAR_VALUE = 64, // what a field value may hold: HTAB, SP, visible ASCII, 0x80 and above
};

extern const unsigned char grammar_classes[256];

static inline bool grammar_is(char byte, enum grammar_class class)
{
    return (grammar_classes[(unsigned char)byte] & class) != 0;
}

// The value of a hexadecimal digit, or -1.
int grammar_hex(char byte);

// The first byte of [from, end) that is not of the class, or end.
const char *grammar_skip(const char *from, const char *end, enum grammar_class class);

// grammar_skip with GRAMMAR_VALUE, several bytes at a time.
const char *grammar_value_end(const char *from, const char *end);

// Without blanks and tabs at both ends.
struct span grammar_trim(struct span text);

// Equal without regard to case. `lower` is in lower case and as long as it says.
bool grammar_equal(struct span text, struct span lower);

// Digits only, at least one, at most UINT64_MAX - 1. Returns false for anything else.
bool grammar_decimal(struct span text, uint64_t *value);

// host [ ":" port ] with a host of at least one byte: reg-name, IPv4 or [IPv6]; port to 65535.
bool grammar_is_authority(struct span text);

// The next element of a comma-separated list, trimmed; empty ones are skipped. Starts with *rest =
// the field's value, which it shortens. Returns false when there is none left.
bool grammar_next_element(struct span *rest, struct span *element);

#endif
