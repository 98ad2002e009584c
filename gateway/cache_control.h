// The directives of a Cache-Control field.
#ifndef GW_GATEWAY_CACHE_CONTROL_H
#define GW_GATEWAY_CACHE_CONTROL_H

#include <stdbool.h>

#include "span.h"

struct cache_directive {
    struct span name;     // compare with grammar_equal
    struct span argument; // as it stands, quotes and all; empty when there is none
};

// The next directive. Starts with *rest = a field's value, which it shortens. What stands within a
// quoted string is no directive; a quote that is never closed quotes nothing. Returns false when
// there is none left.
bool cache_control_next(struct span *rest, struct cache_directive *directive);

#endif
