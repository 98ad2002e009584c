// The head of an upstream response, read once and strictly.
//
// Whatever could be framed in two ways is refused (the client gets a 502): a lenient gateway passes
// it on, and the client's side of the connection then disagrees about where the next response
// starts. Not its job: the body (body.c) and the choice of fields (fields.c).
//
// The first call parses from the start. When the head turned out to be incomplete, later calls only
// look for its end in what is new and parse again when it is there, so that the cost stays linear
// for a head that comes byte by byte.
#include "response.h"

#include <string.h>

#include "grammar.h"

struct parse {
    const char *end;
    struct response_head *head;
    bool more; // stopped because bytes are missing, not because they are wrong
    unsigned length_count;
    unsigned encoding_count;
};

static const char *refuse(struct parse *parse, const char *problem)
{
    parse->head->problem = problem;
    return NULL;
}

static const char *need_more(struct parse *parse)
{
    parse->more = true;
    return NULL;
}

static const char *take_line_end(struct parse *parse, const char *at)
{
    if (at == parse->end)
        return need_more(parse);
    if (*at != '\r')
        return refuse(parse, *at == '\n' ? "bare LF" : "control character");
    if (at + 1 == parse->end)
        return need_more(parse);
    return at[1] == '\n' ? at + 2 : refuse(parse, "bare CR");
}

// "HTTP/1.1 200": the part with a fixed length. A prefix of it that came alone is compared as well,
// so that something that is no HTTP is noticed at once.
static const char *take_status(struct parse *parse, const char *at)
{
    static const char pattern[] = "HTTP/1.v ddd";
    size_t left = (size_t)(parse->end - at);
    for (size_t i = 0; i < sizeof(pattern) - 1; ++i) {
        if (i == left)
            return need_more(parse);
        bool fits = pattern[i] == 'v'   ? at[i] == '0' || at[i] == '1'
                    : pattern[i] == 'd' ? grammar_is(at[i], GRAMMAR_DIGIT)
                                        : at[i] == pattern[i];
        if (!fits)
            return refuse(parse, "not an HTTP/1.0 or 1.1 status line");
    }
    parse->head->version_minor = at[7] - '0';
    parse->head->status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
    if (parse->head->status < 100 || parse->head->status > 599)
        return refuse(parse, "status outside 100 to 599");
    return at + sizeof(pattern) - 1;
}

// RFC 9112 §4 wants a blank even before an empty reason; many servers leave it out then.
static const char *take_reason(struct parse *parse, const char *at)
{
    if (at < parse->end && *at == ' ')
        ++at;
    else if (at < parse->end && *at != '\r')
        return refuse(parse, "no blank behind the status");
    const char *stop = grammar_value_end(at, parse->end);
    parse->head->reason = grammar_trim((struct span){at, (size_t)(stop - at)});
    return take_line_end(parse, stop);
}

static const char *name_problem(const char *at, const char *stop)
{
    if (at == stop)
        return *at == ' ' || *at == '\t' ? "folded line" : "empty field name";
    if (*stop == ' ' || *stop == '\t')
        return "blank before the colon";
    return "field name is not a token, or a line has no colon";
}

static void note_field(struct parse *parse, const struct field *field)
{
    struct response_head *head = parse->head;
    if (field->name.length == 14 && grammar_equal(field->name, SPAN("content-length"))) {
        ++parse->length_count;
        if (!grammar_decimal(field->value, &head->content_length))
            refuse(parse, "malformed Content-Length");
    } else if (field->name.length == 17 && grammar_equal(field->name, SPAN("transfer-encoding"))) {
        ++parse->encoding_count;
        if (!grammar_equal(field->value, SPAN("chunked")))
            refuse(parse, "Transfer-Encoding other than chunked");
    }
}

static const char *take_field(struct parse *parse, const char *at)
{
    struct response_head *head = parse->head;
    const char *colon = grammar_skip(at, parse->end, GRAMMAR_TOKEN);
    if (colon == parse->end)
        return need_more(parse);
    if (*colon != ':' || colon == at)
        return refuse(parse, name_problem(at, colon));
    if (head->field_count == RESPONSE_MAX_FIELDS)
        return refuse(parse, "too many fields");
    const char *stop = grammar_value_end(colon + 1, parse->end);
    const char *next = take_line_end(parse, stop);
    if (next == NULL)
        return NULL;
    struct field *field = &head->fields[head->field_count++];
    field->name = (struct span){at, (size_t)(colon - at)};
    field->value = grammar_trim((struct span){colon + 1, (size_t)(stop - colon - 1)});
    note_field(parse, field);
    return head->problem == NULL ? next : NULL;
}

static const char *take_fields(struct parse *parse, const char *at)
{
    while (at != NULL && at < parse->end && *at != '\r')
        at = take_field(parse, at);
    return at == NULL ? NULL : take_line_end(parse, at);
}

static bool has_no_body(int status, bool to_head)
{
    return to_head || status < 200 || status == 204 || status == 304;
}

// RFC 9112 §6.3, without its lenient parts. Returns false after leaving the problem.
static bool decide_framing(struct parse *parse, bool to_head)
{
    struct response_head *head = parse->head;
    if (parse->length_count > 1)
        head->problem = "two Content-Length fields";
    else if (parse->encoding_count > 1)
        head->problem = "two Transfer-Encoding fields";
    else if (parse->length_count + parse->encoding_count > 1)
        head->problem = "Content-Length beside Transfer-Encoding";
    else if (parse->encoding_count > 0 && head->version_minor == 0)
        head->problem = "Transfer-Encoding in HTTP/1.0";
    else if (head->status == 101)
        head->problem = "101 without being asked";
    if (has_no_body(head->status, to_head))
        head->framing = BODY_NONE;
    else if (parse->encoding_count > 0)
        head->framing = BODY_CHUNKED;
    else
        head->framing = parse->length_count > 0 ? BODY_LENGTH : BODY_UNTIL_CLOSE;
    return head->problem == NULL;
}

// A body that a 204 announces but may not have could follow after all: such a connection is not
// used again, and the number is not passed on.
static bool has_forbidden_body(struct parse *parse)
{
    struct response_head *head = parse->head;
    if (head->status >= 200 && head->status != 204)
        return false;
    bool announced =
        parse->encoding_count > 0 || (parse->length_count > 0 && head->content_length > 0);
    head->content_length = RESPONSE_LENGTH_UNKNOWN;
    return announced;
}

static bool conclude(struct parse *parse, bool to_head)
{
    struct response_head *head = parse->head;
    struct connection_options options = {false, false};
    if (!decide_framing(parse, to_head))
        return false;
    fields_find_connection(head->fields, head->field_count, &head->connection, &options);
    if (head->connection.overflow)
        head->problem = "Connection names too many fields";
    bool persistent = head->version_minor == 1 || options.keep_alive;
    bool forbidden = has_forbidden_body(parse);
    head->keep_alive =
        persistent && !options.close && !forbidden && head->framing != BODY_UNTIL_CLOSE;
    return head->problem == NULL;
}

// Could the head end within what came since `previous`? Its end may have begun up to three bytes
// before.
static bool has_end(const char *bytes, size_t length, size_t previous)
{
    size_t from = previous > 3 ? previous - 3 : 0;
    return memmem(bytes + from, length - from, "\r\n\r\n", 4) != NULL;
}

// All but the array of fields, which is large and read only up to field_count.
static void clear_head(struct response_head *head)
{
    head->field_count = 0;
    head->content_length = RESPONSE_LENGTH_UNKNOWN;
    head->connection.count = 0;
    head->connection.overflow = false;
    head->problem = NULL;
}

enum response_result response_parse_head(const char *bytes, size_t length, size_t previous,
                                         bool to_head, struct response_head *head)
{
    size_t visible = length < RESPONSE_MAX_HEAD ? length : RESPONSE_MAX_HEAD;
    struct parse parse = {.end = bytes + visible, .head = head};
    const char *at = NULL;
    clear_head(head);
    if (previous == 0 || has_end(bytes, visible, previous < visible ? previous : visible)) {
        at = take_status(&parse, bytes);
        if (at != NULL)
            at = take_reason(&parse, at);
        if (at != NULL)
            at = take_fields(&parse, at);
    } else {
        parse.more = true;
    }
    if (at == NULL && parse.more && visible < RESPONSE_MAX_HEAD)
        return RESPONSE_MORE;
    if (at == NULL && parse.more)
        head->problem = "head is too long";
    if (at == NULL || !conclude(&parse, to_head))
        return RESPONSE_BAD;
    head->head_length = (size_t)(at - bytes);
    return RESPONSE_OK;
}
