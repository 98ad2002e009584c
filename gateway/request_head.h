// Writes the head of the request that goes upstream.
#ifndef GW_GATEWAY_REQUEST_HEAD_H
#define GW_GATEWAY_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "span.h"

// All borrowed, for the call only.
struct request_head {
    struct span method;
    struct span path;   // normalised, rewritten
    struct span query;  // with its '?'; may be empty
    struct span host;   // the client's; empty (HTTP/1.0): the caller puts the endpoint's here
    struct span peer;   // the client's address as text, for X-Forwarded-For
    struct span scheme; // "http" or "https", for X-Forwarded-Proto
    const struct field *fields; // the client's; filtered through fields_forward_request
    size_t field_count;
    bool keeps_forwarded_for; // the client's X-Forwarded-For stands before its address
    bool has_content_length;  // writes Content-Length, also 0
    uint64_t content_length;
};

// How many bytes request_head_write needs at most.
size_t request_head_bound(const struct request_head *head);

// Writes request line, fields and empty line, at most `size` bytes, and sets *length. Always
// HTTP/1.1 with a persistent connection; X-Forwarded-For, -Proto and -Host are ours alone, but
// for keeps_forwarded_for: whoever reads that may believe the last address only.
// Returns -1 when it does not fit, when something would end its line early (CR, LF, NUL or another
// control character), when a name is not a token, or when Connection names too many fields.
int request_head_write(const struct request_head *head, char *out, size_t size, size_t *length,
                       struct err *err) GW_MUST_USE;

#endif
