// What strings of the configuration have to look like when they name parts of requests.
#ifndef GW_COMMON_HTTP_TEXT_H
#define GW_COMMON_HTTP_TEXT_H

#include <stdbool.h>

// "/exact" or "/prefix/*"; says which. Only the form that paths of requests are brought to before
// they are compared: what would never match, or twice, is refused.
bool http_text_is_pattern(const char *path, bool *is_prefix);

// A method, or the name of a header field (RFC 9110 §5.6.2): not empty.
bool http_text_is_token(const char *text);

// The name of a cookie: not empty, without '=', ';', ',', blanks and control characters.
bool http_text_is_cookie(const char *text);

// What may be written as a field's value: no control characters.
bool http_text_is_value(const char *text);

#endif
