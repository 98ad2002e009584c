// The request fields that an answer depends on, as its Vary fields name them.
#ifndef GW_GATEWAY_VARY_H
#define GW_GATEWAY_VARY_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

enum { VARY_MAX_NAMES = 16 };

// All spans point into the fields that were read.
struct vary {
    size_t count;
    struct span names[VARY_MAX_NAMES]; // each once, in the order of their lower case
};

// Reads all Vary fields among `fields`. Returns false when no two requests get the same answer: a
// "*" anywhere, more names than we remember, or something that is no name.
bool vary_read(const struct field *fields, size_t count, struct vary *vary);

// Do both name the same fields?
bool vary_equal(const struct vary *left, const struct vary *right);

#endif
