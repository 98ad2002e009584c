// Any bytes as a chunked request body. In pieces, as libh2o's reader hands them over, it must be
// the same body with the same end as at one go; and written anew it is read as the same.
//
// The first two bytes choose the pieces.
//
// covers: gateway/request_chunks.c gateway/body.c
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "request_chunks.h"

enum { BAD = -1, MORE = -2 };

// What the bytes were: the end as phr_decode_chunked tells it, with what stands behind it.
struct outcome {
    ssize_t result;
    struct buf body;
    size_t behind; // bytes that are not of the body, whether or not they were handed over
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

// Hands one piece over, in memory of exactly its size.
static ssize_t decode_piece(struct phr_chunked_decoder *decoder, const char *bytes, size_t length,
                            struct outcome *outcome)
{
    size_t kept = length;
    char *copy = malloc(length);
    require(copy != NULL || length == 0);
    if (length > 0)
        memcpy(copy, bytes, length);
    ssize_t result = phr_decode_chunked(decoder, copy, &kept);
    require(kept <= length && result >= MORE);
    buf_append(&outcome->body, copy, kept);
    if (result > 0) {
        size_t rest = (size_t)result;
        require(kept + rest <= length);
        require(memcmp(copy + kept, bytes + length - rest, rest) == 0);
    }
    free(copy);
    return result;
}

// Pieces of 1 to most_bytes; all at once when that is 0.
static struct outcome decode(const char *bytes, size_t length, size_t most_bytes, uint32_t random)
{
    struct phr_chunked_decoder decoder = {.consume_trailer = 1};
    struct outcome outcome = {.result = MORE, .body = BUF_INIT};
    size_t at = 0;
    while (at < length && outcome.result == MORE) {
        random = random * 1664525 + 1013904223;
        size_t piece = most_bytes > 0 ? 1 + (random >> 8) % most_bytes : length;
        if (piece > length - at)
            piece = length - at;
        outcome.result = decode_piece(&decoder, bytes + at, piece, &outcome);
        at += piece;
    }
    if (outcome.result >= 0)
        outcome.behind = (size_t)outcome.result + length - at;
    return outcome;
}

static void require_same(const struct outcome *whole, struct outcome pieces)
{
    size_t length = whole->body.length;
    require((whole->result < 0 ? whole->result : 0) == (pieces.result < 0 ? pieces.result : 0));
    require(whole->behind == pieces.behind);
    require(pieces.body.length == length);
    require(length == 0 || memcmp(pieces.body.data, whole->body.data, length) == 0);
    buf_free(&pieces.body);
}

// The same body as a sender of chunks of that size would frame it.
static struct buf write_anew(const struct outcome *outcome, size_t chunk)
{
    struct buf text = BUF_INIT;
    char head[24];
    for (size_t at = 0; at < outcome->body.length; at += chunk) {
        size_t left = outcome->body.length - at;
        size_t length = left < chunk ? left : chunk;
        int head_length = snprintf(head, sizeof head, "%zx\r\n", length);
        buf_append(&text, head, (size_t)head_length);
        buf_append(&text, outcome->body.data + at, length);
        buf_append(&text, "\r\n", 2);
    }
    buf_append(&text, "0\r\n\r\n", 5);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 16384)
        return 0;
    const char *bytes = (const char *)data + 2;
    size_t length = size - 2, most = (size_t)data[0] + 1;
    request_chunks_init();
    struct outcome whole = decode(bytes, length, 0, 0);
    require_same(&whole, decode(bytes, length, 1, 0));
    require_same(&whole, decode(bytes, length, most, data[1]));
    if (whole.result >= 0) {
        struct buf anew = write_anew(&whole, most);
        struct outcome again = decode(anew.data, anew.length, 0, 0);
        require(again.result == 0);
        whole.behind = 0;
        require_same(&whole, again);
        buf_free(&anew);
    }
    buf_free(&whole.body);
    return 0;
}
