// A second, strict look at the head of an HTTP/1 request.
//
// libh2o is lenient (two Content-Length, Content-Length beside Transfer-Encoding, bare LF, any
// method and target): what a lenient front passes on, an application may read as another request.
// The raw head still lies at the start of the connection's input when a handler runs.
#ifndef GW_GATEWAY_REQUEST_CHECK_H
#define GW_GATEWAY_REQUEST_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

enum { REQUEST_MAX_FIELDS = 100 }; // libh2o takes no more either

// All spans point into the checked bytes (or to constants) and live as long as those.
struct request_facts {
    struct span method;
    struct span target;    // as sent
    struct span path;      // of the target, not normalised: starts with '/', or is "*" (OPTIONS)
    struct span query;     // with its '?'; empty when there is none
    struct span authority; // of an absolute-form target, else Host's value; empty: HTTP/1.0 without
    int version_minor;     // 0, or 1 for HTTP/1.1 and later minors
    size_t head_length;    // up to and with the empty line
    bool is_head;          // method HEAD
    bool has_body;         // chunked, or Content-Length > 0
    bool
        has_transfer_encoding; // chunked: answer it with `Connection: close`, see libh2o's leniency
    bool has_content_length;
    uint64_t content_length; // 0 when not told
    // All fields in their order, with Host, Content-Length and Transfer-Encoding among them. Names
    // have the case that they have in the bytes.
    struct field fields[REQUEST_MAX_FIELDS];
    size_t field_count;
};

// Checks the head that starts at bytes[0]; what follows it within `length` is not looked at.
// Returns NULL and fills *facts, or the reason for a 400 (a constant, for the log, not for the
// client; *facts is then incomplete). A head that does not end within `length` is a reason too.
const char *request_check(const char *bytes, size_t length, struct request_facts *facts);

#endif
