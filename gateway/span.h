// A piece of somebody else's bytes: pointer and length, no NUL, nothing owned.
#ifndef GW_GATEWAY_SPAN_H
#define GW_GATEWAY_SPAN_H

#include <stddef.h>

struct span {
    const char *bytes;
    size_t length;
};

// A header field; the value is without the blanks around it.
struct field {
    struct span name;
    struct span value;
};

// A string literal as a span.
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

#endif
