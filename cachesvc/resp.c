// The parser of requests.
//
// Positions count from the start of the current command, and the arguments of a command that is not
// whole are offsets too: the input may move while the rest is awaited. They become pointers once,
// at its end.
//
// A line that is not there yet leaves how far it was searched (`scanned`), a bulk value only has
// its length compared. The one place that looks again is read_short_length, at less than ten bytes.
//
// Texts and limits are those of Redis 7. Deviations, all on purpose:
// - A line that is too long is refused even when its end arrives together with it; in Redis that
//   depends on how the input was cut.
// - NUL is a byte like any other; Redis stops at it in search of a line's end, and waits.
// - Redis allows 2^31-1 arguments since version 7; here the former 1024*1024 stay the default.
//
// As in Redis, the byte after a length's '\r' and the two after a bulk value are not looked at.
#include "resp.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "number.h"

enum { FEWEST_ARGS = 16, MOST_ARGS_KEPT = 1024, SHORT_LENGTH_DIGITS = 7 };

void resp_init(struct resp_parser *parser)
{
    *parser = (struct resp_parser){.limits = RESP_LIMITS_DEFAULT};
}

void resp_fini(struct resp_parser *parser)
{
    free(parser->args);
    *parser = (struct resp_parser){.args = NULL};
}

static enum resp_result fail(struct resp_parser *parser, const char *error)
{
    parser->error = error;
    parser->state = RESP_AT_ERROR;
    return RESP_ERROR;
}

// What a line of the protocol cannot carry shows as a blank.
static enum resp_result fail_expected_bulk(struct resp_parser *parser, char got)
{
    if (got == '\r' || got == '\n' || got == '\0')
        got = ' ';
    snprintf(parser->error_text, sizeof(parser->error_text),
             "Protocol error: expected '$', got '%c'", got);
    return fail(parser, parser->error_text);
}

static void start(struct resp_parser *parser)
{
    parser->state = RESP_AT_START;
    parser->arg_count = 0;
    parser->args_expected = 0;
    parser->position = 0;
    parser->scanned = 0;
}

static void grow_args(struct resp_parser *parser)
{
    size_t capacity = parser->arg_capacity > 0 ? parser->arg_capacity * 2 : FEWEST_ARGS;
    parser->args = mem_realloc(parser->args, capacity * sizeof(*parser->args));
    parser->arg_capacity = capacity;
}

static void add_arg(struct resp_parser *parser, size_t offset, size_t length)
{
    if (parser->arg_count == parser->arg_capacity)
        grow_args(parser);
    struct resp_arg *arg = &parser->args[parser->arg_count++];
    arg->offset = offset;
    arg->length = length;
}

// The line at `position`, up to `end`: RESP_COMMAND with its length, which leaves `scanned` to the
// caller; RESP_ERROR with the given text when it is too long.
static enum resp_result find_line(struct resp_parser *parser, const char *command, size_t length,
                                  char end, const char *too_long, size_t *line_length)
{
    const char *line = command + parser->position;
    size_t there = length - parser->position;
    size_t most = parser->limits.line_bytes + 1;
    size_t searched = there < most ? there : most;
    const char *found = NULL;
    if (searched > parser->scanned)
        found = memchr(line + parser->scanned, end, searched - parser->scanned);
    if (!found) {
        parser->scanned = searched;
        return searched == most ? fail(parser, too_long) : RESP_MORE;
    }
    *line_length = (size_t)(found - line);
    return RESP_COMMAND;
}

// ---- lengths ----

static bool is_digit(char byte)
{
    return (unsigned char)(byte - '0') < 10;
}

// The usual line of a length: few digits, and there with both bytes behind them. Returns how many
// bytes the line takes, or 0 when it is not of that kind.
static inline size_t read_short_length(const char *line, size_t there, int64_t *value)
{
    size_t most = there < SHORT_LENGTH_DIGITS + 1 ? there : SHORT_LENGTH_DIGITS + 1;
    size_t at = 1;
    uint32_t number = 0;
    for (; at < most && is_digit(line[at]); ++at)
        number = number * 10 + (uint32_t)(line[at] - '0');
    if (at == 1 || at + 1 >= there || line[at] != '\r' || (line[1] == '0' && at > 2))
        return 0;
    *value = number;
    return at + 2;
}

struct length_texts {
    const char *invalid, *too_long;
};

static const struct length_texts count_texts = {
    "Protocol error: invalid multibulk length",
    "Protocol error: too big mbulk count string",
};
static const struct length_texts bulk_texts = {
    "Protocol error: invalid bulk length",
    "Protocol error: too big bulk count string",
};

static enum resp_result read_any_length(struct resp_parser *parser, const char *command,
                                        size_t length, const struct length_texts *texts,
                                        int64_t *value)
{
    size_t line_length = 0;
    const char *line = command + parser->position;
    enum resp_result result =
        find_line(parser, command, length, '\r', texts->too_long, &line_length);
    if (result != RESP_COMMAND)
        return result;
    if (parser->position + line_length + 2 > length) {
        parser->scanned = line_length;
        return RESP_MORE;
    }
    if (texts == &bulk_texts && line[0] != '$')
        return fail_expected_bulk(parser, line[0]);
    if (!number_parse(line + 1, line_length - 1, value))
        return fail(parser, texts->invalid);
    parser->position += line_length + 2;
    parser->scanned = 0;
    return RESP_COMMAND;
}

static enum resp_result parse_count(struct resp_parser *parser, const char *command, size_t length)
{
    int64_t count = 0;
    size_t taken = read_short_length(command, length, &count);
    if (taken > 0) {
        parser->position = taken;
        parser->scanned = 0;
    } else {
        enum resp_result result = read_any_length(parser, command, length, &count_texts, &count);
        if (result != RESP_COMMAND)
            return result;
    }
    if (count > 0 && (uint64_t)count > parser->limits.args)
        return fail(parser, count_texts.invalid);
    parser->args_expected = count > 0 ? (size_t)count : 0;
    parser->state = RESP_AT_BULK_LENGTH;
    return RESP_COMMAND;
}

static enum resp_result parse_bulk_length(struct resp_parser *parser, const char *command,
                                          size_t length)
{
    int64_t bulk_length = 0;
    const char *line = command + parser->position;
    size_t there = length - parser->position;
    size_t taken = there > 0 && line[0] == '$' ? read_short_length(line, there, &bulk_length) : 0;
    if (taken > 0) {
        parser->position += taken;
        parser->scanned = 0;
    } else {
        enum resp_result result =
            read_any_length(parser, command, length, &bulk_texts, &bulk_length);
        if (result != RESP_COMMAND)
            return result;
    }
    if (bulk_length < 0 || (uint64_t)bulk_length > parser->limits.bulk_bytes)
        return fail(parser, bulk_texts.invalid);
    parser->bulk_length = (size_t)bulk_length;
    parser->state = RESP_AT_BULK;
    return RESP_COMMAND;
}

static enum resp_result parse_bulks(struct resp_parser *parser, const char *command, size_t length)
{
    while (parser->arg_count < parser->args_expected) {
        if (parser->state == RESP_AT_BULK_LENGTH) {
            enum resp_result result = parse_bulk_length(parser, command, length);
            if (result != RESP_COMMAND)
                return result;
        }
        size_t there = length - parser->position;
        if (there < parser->bulk_length + 2) {
            parser->bulk_missing = parser->bulk_length + 2 - there;
            return RESP_MORE;
        }
        add_arg(parser, parser->position, parser->bulk_length);
        parser->position += parser->bulk_length + 2;
        parser->state = RESP_AT_BULK_LENGTH;
    }
    return RESP_COMMAND;
}

// ---- inline commands ----

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

// Vertical tab and form feed are blanks between words, but do not end one.
static bool ends_word(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static int hex_value(char byte)
{
    if (is_digit(byte))
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// The escape at `at` (a backslash and at least one byte) within double quotes. Returns its length.
static size_t read_escape(const char *at, const char *end, char *byte)
{
    static const char names[] = "nrtba", meanings[] = "\n\r\t\b\a";
    if (at[1] == 'x' && end - at >= 4 && hex_value(at[2]) >= 0 && hex_value(at[3]) >= 0) {
        *byte = (char)(hex_value(at[2]) * 16 + hex_value(at[3]));
        return 4;
    }
    const char *name = memchr(names, at[1], sizeof(names) - 1);
    *byte = name ? meanings[name - names] : at[1];
    return 2;
}

// Decodes the word at `at` in place (it never gets longer). Returns what follows it, or NULL when
// its quotes are not balanced: not closed, or with something directly behind them.
static char *read_word(char *at, char *end, size_t *length)
{
    char *word = at, *out = at;
    char quote = '\0';
    while (at < end && (quote || !ends_word(*at))) {
        if (!quote && (*at == '"' || *at == '\'')) {
            quote = *at++;
        } else if (quote && *at == quote) {
            *length = (size_t)(out - word);
            return at + 1 == end || is_blank(at[1]) ? at + 1 : NULL;
        } else if (quote == '"' && *at == '\\' && at + 1 < end) {
            at += read_escape(at, end, out++);
        } else if (quote == '\'' && *at == '\\' && at + 1 < end && at[1] == '\'') {
            *out++ = '\'';
            at += 2;
        } else {
            *out++ = *at++;
        }
    }
    *length = (size_t)(out - word);
    return quote ? NULL : at;
}

static enum resp_result parse_line(struct resp_parser *parser, char *command, size_t length)
{
    size_t line_length = 0;
    enum resp_result result = find_line(parser, command, length, '\n',
                                        "Protocol error: too big inline request", &line_length);
    if (result != RESP_COMMAND)
        return result;
    parser->position = line_length + 1;
    char *at = command, *end = command + line_length;
    if (end > at && end[-1] == '\r')
        --end;
    for (;;) {
        while (at < end && is_blank(*at))
            ++at;
        if (at == end)
            return RESP_COMMAND;
        if (parser->arg_count == parser->limits.args)
            return fail(parser, count_texts.invalid);
        size_t word_length = 0, offset = (size_t)(at - command);
        at = read_word(at, end, &word_length);
        if (!at)
            return fail(parser, "Protocol error: unbalanced quotes in request");
        add_arg(parser, offset, word_length);
    }
}

// ---- commands ----

// RESP_COMMAND: `position` is behind the command, which may be empty.
static enum resp_result parse_command(struct resp_parser *parser, char *command, size_t length)
{
    if (parser->state == RESP_AT_START) {
        if (length == 0)
            return RESP_MORE;
        parser->state = command[0] == '*' ? RESP_AT_COUNT : RESP_AT_LINE;
    }
    if (parser->state == RESP_AT_LINE)
        return parse_line(parser, command, length);
    if (parser->state == RESP_AT_COUNT) {
        enum resp_result result = parse_count(parser, command, length);
        if (result != RESP_COMMAND)
            return result;
    }
    return parse_bulks(parser, command, length);
}

enum resp_result resp_parse(struct resp_parser *parser, char *data, size_t length)
{
    if (parser->state == RESP_AT_ERROR)
        return RESP_ERROR;
    assert(parser->state != RESP_AT_END && parser->consumed + parser->position <= length);
    for (;;) {
        char *command = data + parser->consumed;
        enum resp_result result = parse_command(parser, command, length - parser->consumed);
        if (result != RESP_COMMAND)
            return result;
        parser->consumed += parser->position;
        if (parser->arg_count > 0) {
            for (size_t i = 0; i < parser->arg_count; ++i)
                parser->args[i].bytes = command + parser->args[i].offset;
            parser->state = RESP_AT_END;
            return RESP_COMMAND;
        }
        start(parser);
    }
}

void resp_next(struct resp_parser *parser)
{
    parser->consumed = 0;
    if (parser->state != RESP_AT_END)
        return;
    start(parser);
    // One great command should not hold its memory for the rest of the connection.
    if (parser->arg_capacity > MOST_ARGS_KEPT) {
        free(parser->args);
        parser->args = NULL;
        parser->arg_capacity = 0;
    }
}

size_t resp_wanted(const struct resp_parser *parser)
{
    return parser->state == RESP_AT_BULK ? parser->bulk_missing : 0;
}
