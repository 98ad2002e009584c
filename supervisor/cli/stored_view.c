// Takes a stored value apart.
//
// Invariant: a piece lies whole within the value; an answer is one only when its lengths add up to
// the value's.

#include "stored_view.h"

#include "common/stored_form.h"

static uint64_t get(const char *at, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = bytes; i > 0; i--)
        number = number << 8 | (unsigned char)at[i - 1];
    return number;
}

static bool take(struct piece *rest, uint64_t length, struct piece *piece)
{
    if (rest->length < length)
        return false;
    *piece = (struct piece){rest->bytes, (size_t)length};
    rest->bytes += length;
    rest->length -= (size_t)length;
    return true;
}

bool stored_view_next_field(struct piece *rest, struct piece *name, struct piece *text)
{
    struct piece lengths;
    return take(rest, STORED_FIELD_LENGTHS, &lengths) && take(rest, get(lengths.bytes, 2), name) &&
           take(rest, get(lengths.bytes + 2, 2), text);
}

bool stored_view_next_name(struct piece *rest, struct piece *name)
{
    struct piece length;
    return take(rest, 2, &length) && take(rest, get(length.bytes, 2), name);
}

static bool read_answer(struct piece value, struct stored_view *view)
{
    struct piece rest = value, head;
    if (!take(&rest, STORED_ANSWER_HEAD, &head))
        return false;
    view->status = (int)get(head.bytes + STORED_AT_STATUS, 2);
    view->initial_age_s = (uint32_t)get(head.bytes + STORED_AT_AGE, 4);
    view->ttl_ms = get(head.bytes + STORED_AT_TTL, 8);
    return take(&rest, get(head.bytes + STORED_AT_REASON_LENGTH, 2), &view->reason) &&
           take(&rest, get(head.bytes + STORED_AT_FIELDS_LENGTH, 4), &view->fields) &&
           take(&rest, get(head.bytes + STORED_AT_BODY_LENGTH, 4), &view->body) && rest.length == 0;
}

static enum stored_view_kind read_kind(struct piece value, struct stored_view *view)
{
    struct piece rest = value, head;
    if (!take(&rest, STORED_MARK_HEAD, &head) || head.bytes[1] != STORED_VERSION)
        return STORED_VIEW_NONE;
    view->stored_at_ms = get(head.bytes + STORED_AT_TIME, 8);
    switch (head.bytes[0]) {
    case STORED_KIND_ANSWER:
        return read_answer(value, view) ? STORED_VIEW_ANSWER : STORED_VIEW_NONE;
    case STORED_KIND_VARY:
        view->names = rest;
        return STORED_VIEW_VARY;
    case STORED_KIND_PASS:
        return rest.length == 0 ? STORED_VIEW_PASS : STORED_VIEW_NONE;
    }
    return STORED_VIEW_NONE;
}

enum stored_view_kind stored_view_read(struct piece value, struct stored_view *view)
{
    *view = (struct stored_view){0};
    enum stored_view_kind kind = read_kind(value, view);
    if (kind == STORED_VIEW_NONE)
        *view = (struct stored_view){0};
    return kind;
}
