// Any bytes as requests. Whole, byte by byte and in random pieces they must be the same commands
// and the same error; a command written anew as an array must be read as the same command.
//
// The first byte chooses the limits, the second starts the choice of the pieces.
//
// covers: cachesvc/resp.c
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "reply.h"
#include "resp.h"

static const struct resp_limits limits[] = {
    RESP_LIMITS_DEFAULT,
    {.args = 3, .bulk_bytes = 8, .line_bytes = 16},
    {.args = 1024, .bulk_bytes = 64, .line_bytes = 32},
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

// The command as an array, which tells apart whatever differs.
static void write_command(struct buf *out, const struct resp_parser *parser, const char *data)
{
    require(parser->arg_count > 0 && parser->arg_count <= parser->limits.args);
    reply_array(out, parser->arg_count);
    const char *least = data;
    for (size_t i = 0; i < parser->arg_count; ++i) {
        const struct resp_arg *arg = &parser->args[i];
        require(arg->bytes >= least && arg->bytes + arg->length < data + parser->consumed);
        least = arg->bytes + arg->length;
        reply_bulk(out, arg->bytes, arg->length);
    }
}

// Parses what is there in memory of its own and exactly that size.
static enum resp_result parse_there(struct resp_parser *parser, struct buf *input, struct buf *out)
{
    char *copy = malloc(input->length);
    size_t at = 0;
    enum resp_result result;
    require(copy != NULL || input->length == 0);
    if (input->length > 0)
        memcpy(copy, input->data, input->length);
    do {
        result = resp_parse(parser, copy + at, input->length - at);
        require(parser->consumed <= input->length - at);
        if (result == RESP_COMMAND)
            write_command(out, parser, copy + at);
        if (result != RESP_ERROR)
            at += parser->consumed;
        require((resp_wanted(parser) > 0) == (parser->state == RESP_AT_BULK));
        resp_next(parser);
    } while (result == RESP_COMMAND);
    buf_consume(input, at);
    free(copy);
    return result;
}

struct outcome {
    struct buf commands;
    char error[64]; // empty: none
};

// Pieces of 1 to most_bytes; all at once when that is 0.
static struct outcome parse_in_pieces(const struct buf *bytes, struct resp_limits with,
                                      size_t most_bytes, uint32_t random)
{
    struct outcome outcome = {BUF_INIT, ""};
    struct buf input = BUF_INIT;
    struct resp_parser parser;
    enum resp_result result = RESP_MORE;
    resp_init(&parser);
    parser.limits = with;
    for (size_t at = 0; at < bytes->length && result == RESP_MORE;) {
        random = random * 1664525 + 1013904223;
        size_t piece = most_bytes > 0 ? 1 + (random >> 8) % most_bytes : bytes->length;
        if (piece > bytes->length - at)
            piece = bytes->length - at;
        buf_append(&input, bytes->data + at, piece);
        at += piece;
        result = parse_there(&parser, &input, &outcome.commands);
    }
    require((result == RESP_ERROR) == (parser.error != NULL));
    if (parser.error) {
        require(parser.error[0] != '\0' && strlen(parser.error) < sizeof(outcome.error));
        strcpy(outcome.error, parser.error);
    }
    buf_free(&input);
    resp_fini(&parser);
    return outcome;
}

static void require_same(const struct outcome *expected, struct outcome other)
{
    size_t length = expected->commands.length;
    require(other.commands.length == length && strcmp(other.error, expected->error) == 0);
    require(length == 0 || memcmp(other.commands.data, expected->commands.data, length) == 0);
    buf_free(&other.commands);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 4096)
        return 0;
    struct resp_limits with = limits[data[0] % (sizeof(limits) / sizeof(limits[0]))];
    struct buf bytes = BUF_INIT;
    buf_append(&bytes, data + 2, size - 2);
    struct outcome expected = parse_in_pieces(&bytes, with, 0, 0);
    require_same(&expected, parse_in_pieces(&bytes, with, 1, 0));
    require_same(&expected, parse_in_pieces(&bytes, with, 5, data[1]));
    require_same(&expected, parse_in_pieces(&bytes, with, 40, data[1]));
    buf_free(&bytes);

    expected.error[0] = '\0';
    require_same(&expected, parse_in_pieces(&expected.commands, limits[0], 1000, data[1]));
    buf_free(&expected.commands);
    return 0;
}
