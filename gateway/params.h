// The name=value pairs of a query or of a Cookie field.
#ifndef GW_GATEWAY_PARAMS_H
#define GW_GATEWAY_PARAMS_H

#include <stdbool.h>

#include "common/buf.h"
#include "span.h"

struct param {
    struct span text; // the pair as sent
    struct span name, value;
    bool has_value; // there was a '='
};

// The next pair; empty ones are skipped. Starts with *rest = the query without its '?', or a Cookie
// field's value, which it shortens. Returns false when there is none left.
bool params_next_query(struct span *rest, struct param *param);
bool params_next_cookie(struct span *rest, struct param *param);

// Queries are compared as applications read them: "%61" is "a", "+" a blank; an escape that is none
// is itself.

// As memcmp does.
int params_compare(struct span left, struct span right);

// Whether what was sent as `name` reads `plain`.
bool params_name_is(struct span name, const char *plain);

// `text` itself when there is nothing to decode, else what was appended to `out`.
struct span params_decode(struct span text, struct buf *out);

#endif
