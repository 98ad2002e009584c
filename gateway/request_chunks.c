// Decodes chunked request bodies by the rules of body.c.
//
// libh2o's decoder takes "0x3" for the size 0, bare LF for a line end and anything behind a size. A
// proxy in front of us that reads the same bytes otherwise sees another body and another next
// request. libh2o decodes before any handler runs and keeps nothing of the framing, so nobody could
// look again; but it calls its decoder, which it exports, through the table of symbols: like
// epoll_dedupe.c the executable defines the function itself.
#include "request_chunks.h"

#include <assert.h>
#include <string.h>

#include "body.h"

static_assert(sizeof(struct phr_chunked_decoder) == 16, "libh2o allocates 16 bytes");

static void restore(const struct phr_chunked_decoder *saved, struct body_decoder *decoder)
{
    body_decoder_init(decoder, BODY_CHUNKED, 0);
    decoder->state = saved->state; // 0 is the beginning for both
    decoder->digits = (unsigned)saved->digits;
    decoder->left = saved->bytes_left_in_chunk;
    decoder->skipped = saved->skipped;
}

static void save(const struct body_decoder *decoder, struct phr_chunked_decoder *saved)
{
    saved->state = (char)decoder->state;
    saved->digits = (char)decoder->digits;
    saved->bytes_left_in_chunk = (size_t)decoder->left;
    saved->skipped = (uint32_t)decoder->skipped;
}

ssize_t phr_decode_chunked(struct phr_chunked_decoder *saved, char *bytes, size_t *length)
{
    struct body_decoder decoder;
    struct span data;
    enum body_result result;
    size_t at = 0, kept = 0, used;
    restore(saved, &decoder);
    while ((result = body_decode(&decoder, bytes + at, *length - at, &used, &data)) == BODY_DATA) {
        memmove(bytes + kept, data.bytes, data.length);
        kept += data.length;
        at += used;
    }
    at += used;
    size_t rest = *length - at;
    *length = kept;
    save(&decoder, saved);
    if (result != BODY_COMPLETE)
        return result == BODY_MORE ? -2 : -1;
    memmove(bytes + kept, bytes + at, rest);
    return (ssize_t)rest;
}

void request_chunks_init(void)
{
}
