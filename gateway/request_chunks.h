// A strict decoder of chunked request bodies in the place of libh2o's; see request_chunks.c.
#ifndef GW_GATEWAY_REQUEST_CHUNKS_H
#define GW_GATEWAY_REQUEST_CHUNKS_H

#include <stdint.h>
#include <sys/types.h>

// picohttpparser's struct, of which libh2o zeroes one for each body; the counter lies where its
// padding is.
struct phr_chunked_decoder {
    size_t bytes_left_in_chunk;
    char consume_trailer; // always set by libh2o
    char digits;
    char state;
    uint32_t skipped;
};

// Decodes in place: bytes[0..*length) becomes the *length bytes of body in it. -2: the body goes
// on; -1: malformed; else it ended, and that many bytes, which belong to what follows, lie behind
// it.
ssize_t phr_decode_chunked(struct phr_chunked_decoder *decoder, char *bytes, size_t *length);

// Does nothing. Linking this module in is what switches it on.
void request_chunks_init(void);

#endif
