// Strict parser of upstream response heads (RFC 9112).
#ifndef GW_GATEWAY_RESPONSE_H
#define GW_GATEWAY_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "body.h"
#include "fields.h"
#include "span.h"

enum { RESPONSE_MAX_FIELDS = 100, RESPONSE_MAX_HEAD = 65536 };

#define RESPONSE_LENGTH_UNKNOWN UINT64_MAX

enum response_result {
    RESPONSE_MORE, // the head is not whole yet
    RESPONSE_OK,
    RESPONSE_BAD, // head->problem says why: a constant, for the log
};

// All spans point into the parsed bytes and live as long as those.
struct response_head {
    int status;         // 100 to 599; the caller skips 1xx and parses again behind head_length
    int version_minor;  // 0 or 1
    struct span reason; // may be empty
    size_t head_length; // up to and with the empty line; the body starts there
    enum body_framing framing;
    // Also for HEAD and 304, where no body follows; RESPONSE_LENGTH_UNKNOWN when not told, and
    // always for 1xx and 204.
    uint64_t content_length;
    bool keep_alive; // the connection may serve another request once the body is complete
    struct connection_names connection; // for fields_forward_response
    const char *problem;
    size_t field_count;
    struct field fields[RESPONSE_MAX_FIELDS];
};

// Parses the head at bytes[0]. `previous` is the length at the last call that said RESPONSE_MORE
// for the same head (0 the first time), so that a head in many pieces is not parsed over and over.
// to_head: the request was HEAD. A 101 is RESPONSE_BAD, since we never ask for another protocol.
enum response_result response_parse_head(const char *bytes, size_t length, size_t previous,
                                         bool to_head, struct response_head *head);

#endif
