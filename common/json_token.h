// Strings and numbers of a JSON text, by the grammar of RFC 8259.
#ifndef GW_COMMON_JSON_TOKEN_H
#define GW_COMMON_JSON_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

// text[length] must be a NUL. *at is where the token begins (a string's quote, a number's first
// byte); behind it on success, at the byte that is wrong on failure.

// When `key` is not NULL the string's value is appended to it, and U+0000 is refused.
int json_token_string(const char *text, size_t length, size_t *at, struct buf *key,
                      struct err *err) GW_MUST_USE;

// Integers must fit int64_t, others a finite double.
int json_token_number(const char *text, size_t *at, struct err *err) GW_MUST_USE;

// Whether these bytes may stand in a JSON text: UTF-8 (RFC 3629) from the first to the last.
bool json_token_is_utf8(const char *text, size_t length);

#endif
