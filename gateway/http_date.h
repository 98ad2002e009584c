// Dates in header fields.
#ifndef GW_GATEWAY_HTTP_DATE_H
#define GW_GATEWAY_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

// Reads exactly one of the three forms of RFC 9110 §5.6.7, without regard to case:
//   Sun, 06 Nov 1994 08:49:37 GMT | Sunday, 06-Nov-94 08:49:37 GMT | Sun Nov  6 08:49:37 1994
// Sets *seconds since 1970. A year of two digits is the one that lies at most 50 years ahead of
// now_seconds. Returns false for anything else.
bool http_date_parse(struct span text, int64_t now_seconds, int64_t *seconds);

#endif
