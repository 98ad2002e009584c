// Who may do what is the operators' alone: a request with the token whose hash the configuration
// has
// ("monitoring").
#ifndef GW_GATEWAY_MONITORING_TOKEN_H
#define GW_GATEWAY_MONITORING_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

// Do the fields of a request hold `Authorization: Bearer <token>`, once and with nothing else, and
// is `sha256` (64 hexadecimal digits) the token's hash? How long it takes tells nothing of the
// hash.
bool monitoring_token_fits(const char *sha256, const struct field *fields, size_t count);

#endif
