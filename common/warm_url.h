// What an entry of "warm" asks for: "http://HOST[:PORT]/PATH?QUERY", or "/PATH?QUERY".
#ifndef GW_COMMON_WARM_URL_H
#define GW_COMMON_WARM_URL_H

#include <stddef.h>

#include "common/err.h"

// Both point into the text.
struct warm_url {
    const char *host;   // with its port; not NUL-terminated
    size_t host_length; // 0: it names none
    const char *target; // path and query, to the end of the text
};

// Only bytes that a request may hold. -1 with a sentence that stands behind the text.
int warm_url_parse(const char *text, struct warm_url *url, struct err *err) GW_MUST_USE;

#endif
