// Writes and reads answers in the form in which they lie in the cache: common/stored_form.h.
//
// Invariant: the reader takes a blob only whole, with nothing behind it, and only with fields that
// the writer could have written: what lies in the cache may be damaged or come from somebody else.
#include "stored.h"

#include <stdlib.h>
#include <string.h>

#include "common/stored_form.h"
#include "fields.h"
#include "grammar.h"
#include "response.h"
#include "vary.h"

// --- numbers ------------------------------------------------------------------------------------

static void put(char *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i)
        at[i] = (char)(number >> 8 * i);
}

static uint64_t get(const char *at, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = bytes; i > 0; --i)
        number = number << 8 | (unsigned char)at[i - 1];
    return number;
}

// --- writing ------------------------------------------------------------------------------------

// Room for a head with everything that all kinds have.
static char *begin(struct buf *blob, char kind, size_t length, uint64_t stored_at_ms)
{
    char *head = buf_reserve(blob, length);
    memset(head, 0, length);
    head[0] = kind;
    head[1] = STORED_VERSION;
    put(head + STORED_AT_TIME, stored_at_ms, 8);
    buf_commit(blob, length);
    return head;
}

static void put_text(struct buf *blob, struct span text)
{
    if (text.length > 0)
        buf_append(blob, text.bytes, text.length);
}

// A stored Set-Cookie would go to everybody, an Age would be wrong.
static bool is_stored(struct span name, const struct connection_names *connection)
{
    return fields_forward_response(name, connection) && !grammar_equal(name, SPAN("age")) &&
           !grammar_equal(name, SPAN("set-cookie"));
}

static int put_field(struct buf *blob, const struct field *field)
{
    char lengths[STORED_FIELD_LENGTHS];
    if (field->name.length > UINT16_MAX || field->value.length > UINT16_MAX)
        return -1;
    put(lengths, field->name.length, 2);
    put(lengths + 2, field->value.length, 2);
    buf_append(blob, lengths, sizeof(lengths));
    put_text(blob, field->name);
    put_text(blob, field->value);
    return 0;
}

static int put_fields(struct buf *blob, const struct stored_source *source)
{
    size_t fields_at = blob->length, count = 0;
    for (size_t i = 0; i < source->field_count; ++i) {
        if (!is_stored(source->fields[i].name, source->connection))
            continue;
        if (count++ == RESPONSE_MAX_FIELDS || put_field(blob, &source->fields[i]) < 0)
            return -1;
    }
    put(blob->data + STORED_AT_FIELD_COUNT, count, 2);
    put(blob->data + STORED_AT_FIELDS_LENGTH, blob->length - fields_at, 4);
    return 0;
}

int stored_begin(struct buf *blob, const struct stored_source *source)
{
    if (source->reason.length > UINT16_MAX)
        return -1;
    char *head = begin(blob, STORED_KIND_ANSWER, STORED_ANSWER_HEAD, source->stored_at_ms);
    put(head + STORED_AT_STATUS, (uint64_t)source->status, 2);
    put(head + STORED_AT_AGE, source->initial_age_s, 4);
    put(head + STORED_AT_TTL, source->ttl_ms, 8);
    put(head + STORED_AT_REASON_LENGTH, source->reason.length, 2);
    put_text(blob, source->reason);
    return put_fields(blob, source);
}

static size_t body_at(const char *head)
{
    return STORED_ANSWER_HEAD + get(head + STORED_AT_REASON_LENGTH, 2) +
           get(head + STORED_AT_FIELDS_LENGTH, 4);
}

void stored_finish(struct buf *blob)
{
    put(blob->data + STORED_AT_BODY_LENGTH, blob->length - body_at(blob->data), 4);
}

static char to_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

void stored_write_vary(struct buf *blob, const struct vary *vary, uint32_t nonce,
                       uint64_t stored_at_ms)
{
    char *head = begin(blob, STORED_KIND_VARY, STORED_MARK_HEAD, stored_at_ms);
    put(head + STORED_AT_MARK, vary->count, 2);
    put(head + STORED_AT_NONCE, nonce, 4);
    for (size_t i = 0; i < vary->count; ++i) {
        struct span name = vary->names[i];
        char *to = buf_reserve(blob, 2 + name.length);
        put(to, name.length, 2);
        for (size_t j = 0; j < name.length; ++j)
            to[2 + j] = to_lower(name.bytes[j]);
        buf_commit(blob, 2 + name.length);
    }
}

void stored_write_pass(struct buf *blob, int reason, uint64_t stored_at_ms)
{
    char *head = begin(blob, STORED_KIND_PASS, STORED_MARK_HEAD, stored_at_ms);
    put(head + STORED_AT_MARK, (uint64_t)reason, 2);
}

// --- reading ------------------------------------------------------------------------------------

// Takes `length` bytes off the front; false when there are not so many.
static bool take(struct span *rest, size_t length, struct span *piece)
{
    if (rest->length < length)
        return false;
    *piece = (struct span){rest->bytes, length};
    rest->bytes += length;
    rest->length -= length;
    return true;
}

static bool is_name(struct span name)
{
    const char *end = name.bytes + name.length;
    return name.length > 0 && grammar_skip(name.bytes, end, GRAMMAR_TOKEN) == end;
}

static bool is_value(struct span value)
{
    const char *end = value.bytes + value.length;
    return grammar_value_end(value.bytes, end) == end;
}

bool stored_next_field(struct span *rest, struct field *field)
{
    struct span lengths;
    return take(rest, STORED_FIELD_LENGTHS, &lengths) &&
           take(rest, get(lengths.bytes, 2), &field->name) &&
           take(rest, get(lengths.bytes + 2, 2), &field->value);
}

static bool is_good_field(const struct field *field)
{
    static const struct connection_names none = {.count = 0};
    return is_name(field->name) && is_value(field->value) && is_stored(field->name, &none);
}

// The first of a name counts.
static void note_validator(struct stored *stored, const struct field *field)
{
    if (stored->etag.length == 0 && grammar_equal(field->name, SPAN("etag")))
        stored->etag = field->value;
    if (stored->last_modified.length == 0 && grammar_equal(field->name, SPAN("last-modified")))
        stored->last_modified = field->value;
}

static bool check_fields(struct stored *stored)
{
    struct span rest = stored->fields;
    struct field field;
    for (size_t i = 0; i < stored->field_count; ++i) {
        if (!stored_next_field(&rest, &field) || !is_good_field(&field))
            return false;
        note_validator(stored, &field);
    }
    return rest.length == 0;
}

static bool read_answer(struct span blob, struct stored *stored)
{
    const char *head = blob.bytes;
    struct span rest = blob, skipped;
    if (!take(&rest, STORED_ANSWER_HEAD, &skipped))
        return false;
    stored->status = (int)get(head + STORED_AT_STATUS, 2);
    stored->initial_age_s = (uint32_t)get(head + STORED_AT_AGE, 4);
    stored->ttl_ms = get(head + STORED_AT_TTL, 8);
    stored->field_count = get(head + STORED_AT_FIELD_COUNT, 2);
    return stored->status >= 200 && stored->status <= 299 &&
           stored->field_count <= RESPONSE_MAX_FIELDS &&
           take(&rest, get(head + STORED_AT_REASON_LENGTH, 2), &stored->reason) &&
           is_value(stored->reason) &&
           take(&rest, get(head + STORED_AT_FIELDS_LENGTH, 4), &stored->fields) &&
           take(&rest, get(head + STORED_AT_BODY_LENGTH, 4), &stored->body) && rest.length == 0 &&
           check_fields(stored);
}

// The names are sorted and in lower case, or the keys of variants would not be found again.
static bool is_next_name(const struct vary *vary, struct span name)
{
    if (!is_name(name))
        return false;
    for (size_t i = 0; i < name.length; ++i)
        if (to_lower(name.bytes[i]) != name.bytes[i])
            return false;
    if (vary->count == 0)
        return true;
    struct span last = vary->names[vary->count - 1];
    size_t shorter = last.length < name.length ? last.length : name.length;
    int order = memcmp(last.bytes, name.bytes, shorter);
    return order < 0 || (order == 0 && last.length < name.length);
}

static bool read_vary(struct span blob, struct vary *vary)
{
    struct span rest = {blob.bytes + STORED_MARK_HEAD, blob.length - STORED_MARK_HEAD};
    size_t count = get(blob.bytes + STORED_AT_MARK, 2);
    vary->count = 0;
    if (count > VARY_MAX_NAMES)
        return false;
    for (size_t i = 0; i < count; ++i) {
        struct span length, name;
        if (!take(&rest, 2, &length) || !take(&rest, get(length.bytes, 2), &name) ||
            !is_next_name(vary, name))
            return false;
        vary->names[vary->count++] = name;
    }
    return rest.length == 0;
}

enum stored_kind stored_read(struct span blob, struct stored *stored, struct vary *vary)
{
    *stored = (struct stored){.status = 0};
    if (blob.length < STORED_MARK_HEAD || blob.bytes[1] != STORED_VERSION)
        return STORED_BAD;
    stored->stored_at_ms = get(blob.bytes + STORED_AT_TIME, 8);
    switch (blob.bytes[0]) {
    case STORED_KIND_ANSWER:
        return read_answer(blob, stored) ? STORED_ANSWER : STORED_BAD;
    case STORED_KIND_VARY:
        stored->nonce = (uint32_t)get(blob.bytes + STORED_AT_NONCE, 4);
        return read_vary(blob, vary) ? STORED_VARY : STORED_BAD;
    case STORED_KIND_PASS:
        stored->reason_code = (int)get(blob.bytes + STORED_AT_MARK, 2);
        return blob.length == STORED_MARK_HEAD ? STORED_PASS : STORED_BAD;
    }
    return STORED_BAD;
}
