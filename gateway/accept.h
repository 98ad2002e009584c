// What a client says it would like to get (RFC 9110 §12.5.1). Pure.
#ifndef GW_GATEWAY_ACCEPT_H
#define GW_GATEWAY_ACCEPT_H

#include <stddef.h>

#include "span.h"

enum { ACCEPT_MOST = 1000 };

// How much it likes a media type ("application/json", in lower case), in thousandths; 0 when the
// Accept fields do not name it, or as something that it does not want. Ranges with a * name
// nothing.
unsigned accept_quality(const struct field *fields, size_t count, struct span type);

#endif
