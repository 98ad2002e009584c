// Any bytes as what an upstream sends: head, then body. The first byte decides in what pieces it
// comes; pieces must not change anything.
//
// covers: gateway/response.c gateway/body.c gateway/fields.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "response.h"

struct outcome {
    enum body_result result;
    size_t consumed;
    size_t data_length;
    uint64_t data_sum; // of the data in its order
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static struct response_head whole_head, piece_head;

// As a connection would do it, with blocks of their own so that every byte read too many is seen.
static enum response_result parse_in_pieces(const char *bytes, size_t length, size_t piece,
                                            bool to_head)
{
    enum response_result result = RESPONSE_MORE;
    size_t previous = 0;
    while (result == RESPONSE_MORE && previous < length) {
        size_t have = length - previous < piece ? length : previous + piece;
        char *copy = malloc(have);
        require(copy != NULL);
        memcpy(copy, bytes, have);
        result = response_parse_head(copy, have, previous, to_head, &piece_head);
        previous = have;
        free(copy);
    }
    return result;
}

static void add_data(struct outcome *outcome, struct span data)
{
    require(data.length > 0);
    outcome->data_length += data.length;
    for (size_t i = 0; i < data.length; ++i)
        outcome->data_sum = outcome->data_sum * 31 + (unsigned char)data.bytes[i];
}

static struct outcome decode(const char *bytes, size_t length, size_t piece)
{
    struct outcome outcome = {BODY_MORE, 0, 0, 0};
    struct body_decoder decoder;
    struct span data;
    size_t used;
    body_decoder_init(&decoder, whole_head.framing, whole_head.content_length);
    for (size_t at = 0; outcome.result == BODY_MORE && (at < length || at == 0); at += piece) {
        const char *from = bytes + at;
        size_t left = length - at < piece ? length - at : piece;
        while ((outcome.result = body_decode(&decoder, from, left, &used, &data)) == BODY_DATA) {
            require(data.bytes >= from && data.bytes + data.length == from + used && used <= left);
            add_data(&outcome, data);
            outcome.consumed += used;
            from += used;
            left -= used;
        }
        require(outcome.result != BODY_MORE || used == left);
        outcome.consumed += outcome.result == BODY_BAD ? 0 : used;
    }
    require(outcome.result != BODY_BAD || !body_on_eof(&decoder));
    return outcome;
}

static void check_body(const char *bytes, size_t length, size_t piece)
{
    struct outcome whole = decode(bytes, length, length + 1);
    struct outcome pieces = decode(bytes, length, piece);
    require(whole.result == pieces.result && whole.data_length == pieces.data_length);
    require(whole.data_sum == pieces.data_sum && whole.consumed <= length);
    require(whole.result == BODY_BAD || whole.consumed == pieces.consumed);
    require(whole_head.framing != BODY_LENGTH || whole.data_length <= whole_head.content_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t piece = (size_t)(data[0] >> 1) + 1;
    bool to_head = (data[0] & 1) != 0;
    const char *bytes = (const char *)data + 1;
    enum response_result whole = response_parse_head(bytes, --size, 0, to_head, &whole_head);
    enum response_result pieces = parse_in_pieces(bytes, size, piece, to_head);
    // Bad bytes may be noticed later when they come in pieces, but nothing bad may become good.
    require((whole == RESPONSE_OK) == (pieces == RESPONSE_OK));
    require(whole != RESPONSE_MORE || pieces == RESPONSE_MORE);
    if (whole != RESPONSE_OK)
        return 0;
    require(whole_head.head_length <= size && whole_head.head_length == piece_head.head_length);
    require(whole_head.framing == piece_head.framing);
    require(whole_head.content_length == piece_head.content_length);
    check_body(bytes + whole_head.head_length, size - whole_head.head_length, piece);
    return 0;
}
