// The body decoder: hands out the bytes between the framing.
//
// Chunks: (states that read one byte of framing are in read_framing)
//
//   SIZE --hex--> SIZE --CR--> SIZE_LF --LF--> DATA --all--> DATA_CR --> DATA_LF --> SIZE
//     |  --';'--> EXTENSION --CR--> SIZE_LF    (last chunk: LF --> TRAILER_START)
//   TRAILER_START --CR--> END_LF --LF--> END
//     |  --other--> TRAILER --CR--> TRAILER_LF --LF--> TRAILER_START
//
// DATA and END are also the states of the other framings. Extensions and trailers are read and
// dropped; the extension of a chunk and all trailers together have a limit.
//
// Strict where leniency would let two readers see different bodies: nothing but hexadecimal digits
// in a size, at least one and at most 16 of them, CR LF everywhere, no control characters.
#include "body.h"

#include "grammar.h"

enum body_state {
    BODY_STATE_SIZE,
    BODY_STATE_EXTENSION,
    BODY_STATE_SIZE_LF,
    BODY_STATE_DATA,
    BODY_STATE_DATA_CR,
    BODY_STATE_DATA_LF,
    BODY_STATE_TRAILER_START,
    BODY_STATE_TRAILER,
    BODY_STATE_TRAILER_LF,
    BODY_STATE_END_LF,
    BODY_STATE_END,
};

enum { MAX_DIGITS = 16 };

void body_decoder_init(struct body_decoder *decoder, enum body_framing framing,
                       uint64_t content_length)
{
    *decoder = (struct body_decoder){.framing = framing, .state = BODY_STATE_DATA};
    if (framing == BODY_CHUNKED)
        decoder->state = BODY_STATE_SIZE;
    else if (framing == BODY_NONE || (framing == BODY_LENGTH && content_length == 0))
        decoder->state = BODY_STATE_END;
    else
        decoder->left = framing == BODY_LENGTH ? content_length : UINT64_MAX;
}

static bool refuse(struct body_decoder *decoder, const char *problem)
{
    decoder->problem = problem;
    return false;
}

static bool expect(struct body_decoder *decoder, char byte, char expected, int next)
{
    if (byte != expected)
        return refuse(decoder, "no CR LF where the chunk's framing needs one");
    decoder->state = next;
    return true;
}

static bool read_size(struct body_decoder *decoder, char byte)
{
    int digit = grammar_hex(byte);
    if (digit >= 0) {
        if (decoder->digits++ == MAX_DIGITS)
            return refuse(decoder, "chunk size is too long");
        decoder->left = decoder->left << 4 | (uint64_t)digit;
        return true;
    }
    if (decoder->digits == 0 || (byte != ';' && byte != '\r'))
        return refuse(decoder, "chunk size is not hexadecimal");
    decoder->state = byte == ';' ? BODY_STATE_EXTENSION : BODY_STATE_SIZE_LF;
    return true;
}

// A byte of an extension or a trailer; CR leads to `next`.
static bool skip_text(struct body_decoder *decoder, char byte, size_t limit, int next)
{
    if (byte == '\r') {
        decoder->state = next;
        return true;
    }
    if (!grammar_is(byte, GRAMMAR_VALUE))
        return refuse(decoder, "control character in a chunk extension or trailer");
    if (++decoder->skipped > limit)
        return refuse(decoder, "chunk extension or trailers are too long");
    return true;
}

static bool end_size(struct body_decoder *decoder, char byte)
{
    decoder->digits = 0;
    decoder->skipped = 0;
    return expect(decoder, byte, '\n',
                  decoder->left == 0 ? BODY_STATE_TRAILER_START : BODY_STATE_DATA);
}

static bool read_framing(struct body_decoder *decoder, char byte)
{
    switch ((enum body_state)decoder->state) {
    case BODY_STATE_SIZE:
        return read_size(decoder, byte);
    case BODY_STATE_EXTENSION:
        return skip_text(decoder, byte, BODY_MAX_EXTENSION, BODY_STATE_SIZE_LF);
    case BODY_STATE_SIZE_LF:
        return end_size(decoder, byte);
    case BODY_STATE_DATA_CR:
        return expect(decoder, byte, '\r', BODY_STATE_DATA_LF);
    case BODY_STATE_DATA_LF:
        return expect(decoder, byte, '\n', BODY_STATE_SIZE);
    case BODY_STATE_TRAILER_START:
        if (byte != '\r')
            decoder->state = BODY_STATE_TRAILER;
        return skip_text(decoder, byte, BODY_MAX_TRAILERS, BODY_STATE_END_LF);
    case BODY_STATE_TRAILER:
        return skip_text(decoder, byte, BODY_MAX_TRAILERS, BODY_STATE_TRAILER_LF);
    case BODY_STATE_TRAILER_LF:
        return expect(decoder, byte, '\n', BODY_STATE_TRAILER_START);
    case BODY_STATE_END_LF:
        return expect(decoder, byte, '\n', BODY_STATE_END);
    case BODY_STATE_DATA:
    case BODY_STATE_END:
        break;
    }
    return refuse(decoder, "byte outside the framing");
}

static struct span take_data(struct body_decoder *decoder, const char *bytes, size_t length)
{
    if (decoder->framing == BODY_UNTIL_CLOSE)
        return (struct span){bytes, length};
    if (length > decoder->left)
        length = (size_t)decoder->left;
    decoder->left -= length;
    if (decoder->left == 0)
        decoder->state = decoder->framing == BODY_CHUNKED ? BODY_STATE_DATA_CR : BODY_STATE_END;
    return (struct span){bytes, length};
}

enum body_result body_decode(struct body_decoder *decoder, const char *bytes, size_t length,
                             size_t *consumed, struct span *data)
{
    size_t at = 0;
    *data = (struct span){bytes, 0};
    *consumed = 0;
    if (decoder->complete || decoder->problem != NULL)
        return BODY_BAD;
    while (at < length && decoder->state != BODY_STATE_DATA && decoder->state != BODY_STATE_END)
        if (!read_framing(decoder, bytes[at++]))
            return BODY_BAD;
    *consumed = at;
    if (decoder->state == BODY_STATE_END) {
        decoder->complete = true;
        return BODY_COMPLETE;
    }
    if (at == length)
        return BODY_MORE;
    *data = take_data(decoder, bytes + at, length - at);
    *consumed = at + data->length;
    return BODY_DATA;
}

bool body_is_complete(const struct body_decoder *decoder)
{
    return decoder->complete;
}

bool body_on_eof(struct body_decoder *decoder)
{
    if (decoder->framing == BODY_UNTIL_CLOSE || decoder->state == BODY_STATE_END)
        decoder->complete = true;
    return decoder->complete;
}

const char *body_problem(const struct body_decoder *decoder)
{
    return decoder->problem != NULL ? decoder->problem : "bytes behind the end of the body";
}
