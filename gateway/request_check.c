// The strict check of a request head; see the header for why there is one.
//
// One pass from the method to the empty line; each step returns where it stopped, or NULL after it
// left the reason. Nothing is copied or allocated. Not its job: normalising the path (target.c) and
// choosing what goes upstream (fields.c).
//
// Invariant: no byte at or behind `end` is read, whatever the bytes are.
#include "request_check.h"

#include <string.h>

#include "grammar.h"

struct check {
    const char *end;
    struct request_facts *facts;
    const char *reason;
    struct span host;
    bool has_host;
};

static const char *refuse(struct check *check, const char *reason)
{
    check->reason = reason;
    return NULL;
}

static bool starts_with(struct span text, struct span lower)
{
    return text.length >= lower.length &&
           grammar_equal((struct span){text.bytes, lower.length}, lower);
}

// A line must end here, by CR LF and nothing else.
static const char *take_line_end(struct check *check, const char *at)
{
    if (check->end - at >= 2 && at[0] == '\r' && at[1] == '\n')
        return at + 2;
    if (at == check->end || (*at == '\r' && at + 1 == check->end))
        return refuse(check, "head is not whole");
    if (*at == '\n')
        return refuse(check, "bare LF");
    if (*at == '\r')
        return refuse(check, "bare CR");
    return refuse(check, "control character");
}

static const char *take_method(struct check *check, const char *at)
{
    const char *stop = grammar_skip(at, check->end, GRAMMAR_TOKEN);
    struct span method = {at, (size_t)(stop - at)};
    if (method.length == 0 || stop == check->end || *stop != ' ')
        return refuse(check, "method is not a token");
    if (method.length == 7 && memcmp(at, "CONNECT", 7) == 0)
        return refuse(check, "CONNECT");
    check->facts->method = method;
    check->facts->is_head = method.length == 4 && memcmp(at, "HEAD", 4) == 0;
    return stop + 1;
}

static bool is_options(const struct request_facts *facts)
{
    return facts->method.length == 7 && memcmp(facts->method.bytes, "OPTIONS", 7) == 0;
}

static void split_query(struct request_facts *facts, struct span text)
{
    const char *mark = text.length == 0 ? NULL : memchr(text.bytes, '?', text.length);
    size_t length = mark == NULL ? text.length : (size_t)(mark - text.bytes);
    facts->path = (struct span){text.bytes, length};
    facts->query = (struct span){text.bytes + length, text.length - length};
}

// "http://host[:port][/path][?query]". RFC 9112 §3.2.2: its authority replaces Host's; §3.2.4: an
// OPTIONS without path and query means "*".
static bool split_absolute(struct request_facts *facts, struct span target)
{
    static const char authority_ends[] = "/?";
    const char *at = target.bytes + sizeof("http://") - 1;
    const char *end = target.bytes + target.length;
    const char *stop = at;
    while (stop < end && memchr(authority_ends, *stop, 2) == NULL)
        ++stop;
    facts->authority = (struct span){at, (size_t)(stop - at)};
    split_query(facts, (struct span){stop, (size_t)(end - stop)});
    if (facts->path.length == 0)
        facts->path = is_options(facts) && facts->query.length == 0 ? SPAN("*") : SPAN("/");
    return grammar_is_authority(facts->authority);
}

static const char *take_target(struct check *check, const char *at)
{
    struct request_facts *facts = check->facts;
    const char *stop = grammar_skip(at, check->end, GRAMMAR_TARGET);
    struct span target = {at, (size_t)(stop - at)};
    if (target.length == 0 || stop == check->end || *stop != ' ')
        return refuse(check, "target with a byte that does not belong there");
    facts->target = target;
    if (*at == '/') {
        split_query(facts, target);
    } else if (target.length == 1 && *at == '*' && is_options(facts)) {
        facts->path = target;
    } else if (starts_with(target, SPAN("http://"))) {
        if (!split_absolute(facts, target))
            return refuse(check, "absolute target with a malformed authority");
    } else {
        return refuse(check, "target is neither a path nor an http URL");
    }
    return stop + 1;
}

static const char *take_version(struct check *check, const char *at)
{
    enum { VERSION_LENGTH = 8 };
    if (check->end - at < VERSION_LENGTH || memcmp(at, "HTTP/1.", 7) != 0 ||
        !grammar_is(at[7], GRAMMAR_DIGIT))
        return refuse(check, "no HTTP/1 version behind the target");
    check->facts->version_minor = at[7] == '0' ? 0 : 1;
    return take_line_end(check, at + VERSION_LENGTH);
}

static const char *note_host(struct check *check, struct span value)
{
    if (check->has_host)
        return "two Host fields";
    if (!grammar_is_authority(value))
        return "malformed Host";
    check->has_host = true;
    check->host = value;
    return NULL;
}

static const char *note_content_length(struct request_facts *facts, struct span value)
{
    if (facts->has_content_length)
        return "two Content-Length fields";
    if (!grammar_decimal(value, &facts->content_length))
        return "malformed Content-Length";
    facts->has_content_length = true;
    return NULL;
}

static const char *note_transfer_encoding(struct request_facts *facts, struct span value)
{
    if (facts->has_transfer_encoding)
        return "two Transfer-Encoding fields";
    if (!grammar_equal(value, SPAN("chunked")))
        return "Transfer-Encoding other than chunked";
    facts->has_transfer_encoding = true;
    return NULL;
}

// What follows an accepted "h2c" is no request that anybody could check. Other protocols are
// dropped on the way, which is how a server declines them.
static const char *note_upgrade(struct span value)
{
    struct span element;
    while (grammar_next_element(&value, &element))
        if (grammar_equal(element, SPAN("h2c")))
            return "upgrade to h2c";
    return NULL;
}

// Looks at the fields that decide where the message ends and whom it is for. Returns a reason or
// NULL. The length tells nearly all others apart without a comparison.
static const char *note_field(struct check *check, const struct field *field)
{
    switch (field->name.length) {
    case 4:
        return grammar_equal(field->name, SPAN("host")) ? note_host(check, field->value) : NULL;
    case 7:
        return grammar_equal(field->name, SPAN("upgrade")) ? note_upgrade(field->value) : NULL;
    case 14:
        return grammar_equal(field->name, SPAN("content-length"))
                   ? note_content_length(check->facts, field->value)
                   : NULL;
    case 17:
        return grammar_equal(field->name, SPAN("transfer-encoding"))
                   ? note_transfer_encoding(check->facts, field->value)
                   : NULL;
    }
    return NULL;
}

static const char *name_problem(const char *at, const char *stop, const char *end)
{
    if (stop == end)
        return "head is not whole";
    if (at == stop)
        return *at == ' ' || *at == '\t' ? "folded line" : "empty field name";
    if (*stop == ' ' || *stop == '\t')
        return "blank before the colon";
    if (*stop == '\r' || *stop == '\n')
        return "line without colon";
    return "field name is not a token";
}

static const char *take_field(struct check *check, const char *at)
{
    struct request_facts *facts = check->facts;
    const char *colon = grammar_skip(at, check->end, GRAMMAR_TOKEN);
    if (colon == check->end || *colon != ':' || colon == at)
        return refuse(check, name_problem(at, colon, check->end));
    if (facts->field_count == REQUEST_MAX_FIELDS)
        return refuse(check, "too many fields");
    const char *stop = grammar_value_end(colon + 1, check->end);
    struct field *field = &facts->fields[facts->field_count++];
    field->name = (struct span){at, (size_t)(colon - at)};
    field->value = grammar_trim((struct span){colon + 1, (size_t)(stop - colon - 1)});
    const char *next = take_line_end(check, stop);
    if (next != NULL && (check->reason = note_field(check, field)) != NULL)
        return NULL;
    return next;
}

static const char *take_fields(struct check *check, const char *at)
{
    while (at != NULL && at < check->end && *at != '\r')
        at = take_field(check, at);
    return at == NULL ? NULL : take_line_end(check, at);
}

// What only the whole head tells. Returns a reason or NULL.
static const char *conclude(struct check *check)
{
    struct request_facts *facts = check->facts;
    if (!check->has_host && facts->version_minor > 0)
        return "no Host";
    if (facts->authority.length == 0)
        facts->authority = check->host;
    if (facts->has_transfer_encoding && facts->has_content_length)
        return "Content-Length beside Transfer-Encoding";
    if (facts->has_transfer_encoding && facts->version_minor == 0)
        return "Transfer-Encoding in HTTP/1.0";
    facts->has_body = facts->has_transfer_encoding || facts->content_length > 0;
    return NULL;
}

// All but the array of fields, which is large and read only up to field_count.
static void clear_facts(struct request_facts *facts)
{
    facts->query = facts->authority = (struct span){"", 0};
    facts->has_body = facts->has_transfer_encoding = facts->has_content_length = false;
    facts->content_length = 0;
    facts->field_count = 0;
}

const char *request_check(const char *bytes, size_t length, struct request_facts *facts)
{
    struct check check = {.end = bytes + length, .facts = facts, .host = {"", 0}};
    clear_facts(facts);
    const char *at = take_method(&check, bytes);
    if (at != NULL)
        at = take_target(&check, at);
    if (at != NULL)
        at = take_version(&check, at);
    if (at != NULL)
        at = take_fields(&check, at);
    if (at == NULL)
        return check.reason;
    facts->head_length = (size_t)(at - bytes);
    return conclude(&check);
}
