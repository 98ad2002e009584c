// Decodes the body of a message piece by piece, without copying: RFC 9112 §6 and §7. Upstream
// responses are read with it, and chunked requests (request_chunks.h).
#ifndef GW_GATEWAY_BODY_H
#define GW_GATEWAY_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "span.h"

enum body_framing {
    BODY_NONE,        // HEAD, 1xx, 204, 304
    BODY_LENGTH,      // Content-Length
    BODY_CHUNKED,     // Transfer-Encoding: chunked
    BODY_UNTIL_CLOSE, // neither: ends when the connection does
};

enum body_result {
    BODY_DATA,     // *data holds at least one byte; call again with what follows `consumed`
    BODY_MORE,     // everything was consumed, the body goes on: call again when bytes came
    BODY_COMPLETE, // the body ended behind `consumed`; returned once, then never call again
    BODY_BAD,      // not the announced framing: abort, never pass on as complete
};

enum { BODY_MAX_EXTENSION = 1024, BODY_MAX_TRAILERS = 8192 };

// Fields are body.c's own; request_chunks.c keeps them elsewhere between two calls.
struct body_decoder {
    enum body_framing framing;
    int state;
    bool complete;
    unsigned digits; // of the chunk size so far
    uint64_t left;   // bytes of the body or chunk to come
    size_t skipped;  // of the extension or the trailers
    const char *problem;
};

// content_length matters for BODY_LENGTH only.
void body_decoder_init(struct body_decoder *decoder, enum body_framing framing,
                       uint64_t content_length);

// Takes the next bytes (length 0 is fine: a body of length 0 is BODY_COMPLETE at once). *data
// points into bytes and is empty unless BODY_DATA is returned. So a caller loops:
//     while ((result = body_decode(&decoder, bytes, length, &used, &data)) == BODY_DATA)
//         { take(data); bytes += used; length -= used; }
//     bytes += used;    // BODY_MORE: all; BODY_COMPLETE: what remains is not of this response
enum body_result body_decode(struct body_decoder *decoder, const char *bytes, size_t length,
                             size_t *consumed, struct span *data);

// Has BODY_COMPLETE been returned?
bool body_is_complete(const struct body_decoder *decoder);

// The peer closed: true when the body is whole by that (BODY_UNTIL_CLOSE, or complete already),
// false when it is truncated.
bool body_on_eof(struct body_decoder *decoder);

// Why BODY_BAD: a constant, for the log.
const char *body_problem(const struct body_decoder *decoder);

#endif
