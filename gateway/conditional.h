// Whether a client has what is stored already.
#ifndef GW_GATEWAY_CONDITIONAL_H
#define GW_GATEWAY_CONDITIONAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "span.h"

// Whether a GET or HEAD with these fields is answered with 304 from a stored 2xx with these
// validators (empty: none). If-None-Match counts before If-Modified-Since; tags are compared
// weakly.
bool conditional_is_not_modified(const struct field *fields, size_t count, struct span etag,
                                 struct span last_modified, int64_t now_seconds);

#endif
