// Renders a key and its value.

#include "cache_value.h"

#include "common/clock.h"
#include "common/printable.h"

static void put(struct buf *out, struct piece piece, enum printable_kind kind)
{
    printable_append(out, piece.bytes, piece.length, kind);
}

static void label(struct buf *out, const char *text)
{
    buf_printf(out, "%-8s ", text);
}

static void line_duration(struct buf *out, const char *text, const char *before, uint64_t ms)
{
    char duration[32];
    clock_format_duration(ms, duration, sizeof duration);
    label(out, text);
    buf_printf(out, "%s%s\n", before, duration);
}

static void line_expiry(struct buf *out, int64_t expires_in_ms)
{
    label(out, "expires");
    if (expires_in_ms == CACHE_VALUE_FOREVER) {
        buf_append_text(out, "never\n");
        return;
    }
    char duration[32];
    clock_format_duration(expires_in_ms > 0 ? (uint64_t)expires_in_ms : 0, duration,
                          sizeof duration);
    buf_printf(out, "in %s\n", duration);
}

static void put_content(struct buf *out, struct piece content)
{
    if (content.length == 0)
        return;
    buf_append_text(out, "\n");
    if (!printable_is_text(content.bytes, content.length)) {
        buf_append_text(out, "(no text; --raw writes it to a file or pipe)\n");
        return;
    }
    put(out, content, PRINTABLE_TEXT);
    if (content.bytes[content.length - 1] != '\n')
        buf_append_text(out, "\n");
}

static void line_size(struct buf *out, struct piece content)
{
    label(out, "size");
    printable_size(out, content.length);
    buf_append_text(out, "\n");
}

static void render_value(const struct cache_value *value, struct buf *out)
{
    line_expiry(out, value->expires_in_ms);
    line_size(out, value->bytes);
    put_content(out, value->bytes);
}

// --- of the gateway -----------------------------------------------------------------------------

static void put_fields(struct buf *out, struct piece fields)
{
    struct piece name, text;
    if (fields.length > 0)
        buf_append_text(out, "\n");
    while (stored_view_next_field(&fields, &name, &text)) {
        put(out, name, PRINTABLE_LINE);
        buf_append_text(out, ": ");
        put(out, text, PRINTABLE_LINE);
        buf_append_text(out, "\n");
    }
}

// An answer may lie there longer than it is fresh: keep_stale.
static void render_answer(const struct cache_value *value, const struct stored_view *answer,
                          uint64_t now_ms, struct buf *out)
{
    uint64_t here_ms = now_ms > answer->stored_at_ms ? now_ms - answer->stored_at_ms : 0;
    label(out, "answer");
    buf_printf(out, "%d ", answer->status);
    put(out, answer->reason, PRINTABLE_LINE);
    buf_append_text(out, "\n");
    line_duration(out, "age", "", here_ms + UINT64_C(1000) * answer->initial_age_s);
    if (here_ms < answer->ttl_ms)
        line_duration(out, "fresh", "for ", answer->ttl_ms - here_ms);
    else
        line_duration(out, "stale", "for ", here_ms - answer->ttl_ms);
    line_expiry(out, value->expires_in_ms);
    line_size(out, answer->body);
    put_fields(out, answer->fields);
    put_content(out, answer->body);
}

static void render_vary(const struct cache_value *value, struct piece names, struct buf *out)
{
    struct piece name;
    label(out, "answers");
    buf_append_text(out, "one for each value of:");
    while (stored_view_next_name(&names, &name)) {
        buf_append_text(out, " ");
        put(out, name, PRINTABLE_LINE);
    }
    buf_append_text(out, "\n");
    label(out, "keys");
    put(out, value->key, PRINTABLE_LINE);
    buf_append_text(out, "|v:...\n");
    line_expiry(out, value->expires_in_ms);
}

static void render_pass(const struct cache_value *value, struct buf *out)
{
    label(out, "answer");
    buf_append_text(out, "none: the last one could not be stored\n");
    line_expiry(out, value->expires_in_ms);
}

void cache_value_render(const struct cache_value *value, uint64_t now_ms, struct buf *out)
{
    struct stored_view view;
    label(out, "key");
    put(out, value->key, PRINTABLE_LINE);
    buf_append_text(out, "\n");
    switch (stored_view_read(value->bytes, &view)) {
    case STORED_VIEW_NONE:
        render_value(value, out);
        break;
    case STORED_VIEW_ANSWER:
        render_answer(value, &view, now_ms, out);
        break;
    case STORED_VIEW_VARY:
        render_vary(value, view.names, out);
        break;
    case STORED_VIEW_PASS:
        render_pass(value, out);
        break;
    }
}

struct piece cache_value_content(struct piece bytes)
{
    struct stored_view view;
    return stored_view_read(bytes, &view) == STORED_VIEW_ANSWER ? view.body : bytes;
}
