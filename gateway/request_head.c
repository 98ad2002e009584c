// Serialises the head of an upstream request.
//
// Everything is copied once, straight into the caller's buffer. Every span is checked while it is
// copied, whoever checked it before: what ends a line early here is a second request to the
// application. Not its job: what is a good path or host; it only refuses what cannot be written.
#include "request_head.h"

#include <string.h>

#include "fields.h"
#include "grammar.h"

#define VERSION_AND_HOST " HTTP/1.1\r\nhost: "
#define FORWARDED_FOR "\r\nx-forwarded-for: "
#define FORWARDED_PROTO "\r\nx-forwarded-proto: "
#define FORWARDED_HOST "\r\nx-forwarded-host: "
#define CONTENT_LENGTH "\r\ncontent-length: "
#define END "\r\n\r\n"

enum {
    DECIMAL_SIZE = 20,
    PER_FIELD = 4 // "\r\n" and ": "
};

// Where to write next. `failed` says what went wrong; from then on nothing is written.
struct writer {
    char *at;
    char *end;
    const char *failed;
};

static char *copy(char *to, struct span text)
{
    if (text.length > 0)
        memcpy(to, text.bytes, text.length);
    return to + text.length;
}

static void put(struct writer *writer, struct span text)
{
    if ((size_t)(writer->end - writer->at) < text.length)
        writer->failed = "request head does not fit";
    if (writer->failed == NULL)
        writer->at = copy(writer->at, text);
}

static void put_class(struct writer *writer, struct span text, enum grammar_class class)
{
    const char *end = text.bytes + text.length;
    if (text.length > 0 && grammar_skip(text.bytes, end, class) != end)
        writer->failed = "byte in the method or target that does not belong there";
    put(writer, text);
}

static void put_value(struct writer *writer, struct span text)
{
    const char *end = text.bytes + text.length;
    if (text.length > 0 && grammar_value_end(text.bytes, end) != end)
        writer->failed = "control character in a field value";
    put(writer, text);
}

// Most of a head is fields: one look at the room for the whole line.
static void put_field(struct writer *writer, const struct field *field)
{
    const char *name_end = field->name.bytes + field->name.length;
    const char *value_end = field->value.bytes + field->value.length;
    if (field->name.length == 0 ||
        grammar_skip(field->name.bytes, name_end, GRAMMAR_TOKEN) != name_end)
        writer->failed = "field name is not a token";
    if (grammar_value_end(field->value.bytes, value_end) != value_end)
        writer->failed = "control character in a field value";
    size_t length = PER_FIELD + field->name.length + field->value.length;
    if ((size_t)(writer->end - writer->at) < length)
        writer->failed = "request head does not fit";
    if (writer->failed != NULL)
        return;
    char *at = copy(writer->at, SPAN("\r\n"));
    at = copy(at, field->name);
    at = copy(at, SPAN(": "));
    writer->at = copy(at, field->value);
}

static void put_fields(struct writer *writer, const struct request_head *head)
{
    struct connection_names names;
    names.count = 0;
    names.overflow = false;
    fields_find_connection(head->fields, head->field_count, &names, NULL);
    if (names.overflow)
        writer->failed = "Connection names too many fields";
    for (size_t i = 0; i < head->field_count; ++i)
        if (fields_forward_request(head->fields[i].name, &names))
            put_field(writer, &head->fields[i]);
}

// As a proxy behind others adds to the list: there is one, of however many fields (RFC 9110 §5.3).
static void put_forwarded_for(struct writer *writer, const struct request_head *head)
{
    put(writer, SPAN(FORWARDED_FOR));
    for (size_t i = 0; head->keeps_forwarded_for && i < head->field_count; ++i) {
        const struct field *field = &head->fields[i];
        if (field->value.length == 0 || !grammar_equal(field->name, SPAN("x-forwarded-for")))
            continue;
        put_value(writer, field->value);
        put(writer, SPAN(", ")); // the bound has it: the field itself is not written
    }
    put_value(writer, head->peer);
}

static void put_decimal(struct writer *writer, uint64_t number)
{
    char digits[DECIMAL_SIZE];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(writer, (struct span){digits + at, sizeof(digits) - at});
}

size_t request_head_bound(const struct request_head *head)
{
    static const char constant[] =
        " " VERSION_AND_HOST FORWARDED_FOR FORWARDED_PROTO FORWARDED_HOST CONTENT_LENGTH END;
    size_t bound = sizeof(constant) - 1 + DECIMAL_SIZE + head->method.length + head->path.length +
                   head->query.length + 2 * head->host.length + head->peer.length +
                   head->scheme.length;
    for (size_t i = 0; i < head->field_count; ++i)
        bound += PER_FIELD + head->fields[i].name.length + head->fields[i].value.length;
    return bound;
}

int request_head_write(const struct request_head *head, char *out, size_t size, size_t *length,
                       struct err *err)
{
    struct writer writer = {out, out + size, NULL};
    if (head->method.length == 0 || head->path.length == 0)
        writer.failed = "request without method or path";
    put_class(&writer, head->method, GRAMMAR_TOKEN);
    put(&writer, SPAN(" "));
    put_class(&writer, head->path, GRAMMAR_TARGET);
    put_class(&writer, head->query, GRAMMAR_TARGET);
    put(&writer, SPAN(VERSION_AND_HOST));
    put_value(&writer, head->host);
    put_fields(&writer, head);
    put_forwarded_for(&writer, head);
    put(&writer, SPAN(FORWARDED_PROTO));
    put_value(&writer, head->scheme);
    put(&writer, SPAN(FORWARDED_HOST));
    put_value(&writer, head->host);
    if (head->has_content_length) {
        put(&writer, SPAN(CONTENT_LENGTH));
        put_decimal(&writer, head->content_length);
    }
    put(&writer, SPAN(END));
    if (writer.failed != NULL)
        return err_set(err, "%s", writer.failed);
    *length = (size_t)(writer.at - out);
    return 0;
}
