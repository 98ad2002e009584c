// RFC 9110 §13.1.2, §13.1.3 and §13.2.2, for what a cache answers itself.
//
// Tags are compared as text without their "W/". One without quotes is no tag, but some origins send
// such, and their clients send them back; it ends at a comma.
#include "conditional.h"

#include <string.h>

#include "grammar.h"
#include "http_date.h"

static struct span without_weakness(struct span tag)
{
    if (tag.length >= 2 && memcmp(tag.bytes, "W/", 2) == 0)
        return (struct span){tag.bytes + 2, tag.length - 2};
    return tag;
}

// The end of the tag at the start of `text`; a comma within quotes belongs to it.
static const char *find_end(struct span text)
{
    const char *end = text.bytes + text.length;
    struct span plain = without_weakness(text);
    const char *close = NULL;
    if (plain.length > 1 && *plain.bytes == '"')
        close = memchr(plain.bytes + 1, '"', plain.length - 1);
    const char *from = close != NULL ? close + 1 : text.bytes;
    const char *comma = memchr(from, ',', (size_t)(end - from));
    return comma != NULL ? comma : end;
}

static bool next_tag(struct span *rest, struct span *tag)
{
    const char *end = rest->bytes + rest->length;
    while (rest->length > 0 &&
           (*rest->bytes == ',' || *rest->bytes == ' ' || *rest->bytes == '\t')) {
        ++rest->bytes;
        --rest->length;
    }
    if (rest->length == 0)
        return false;
    const char *stop = find_end(*rest);
    *tag = grammar_trim((struct span){rest->bytes, (size_t)(stop - rest->bytes)});
    *rest = (struct span){stop, (size_t)(end - stop)};
    return true;
}

static bool names_tag(struct span list, struct span etag)
{
    struct span tag;
    etag = without_weakness(etag);
    while (next_tag(&list, &tag)) {
        tag = without_weakness(tag);
        if (etag.length > 0 && tag.length == etag.length &&
            memcmp(tag.bytes, etag.bytes, tag.length) == 0)
            return true;
    }
    return false;
}

static bool is_since(struct span since, struct span last_modified, int64_t now_seconds)
{
    int64_t had, have;
    return http_date_parse(since, now_seconds, &had) &&
           http_date_parse(last_modified, now_seconds, &have) && have <= had;
}

bool conditional_is_not_modified(const struct field *fields, size_t count, struct span etag,
                                 struct span last_modified, int64_t now_seconds)
{
    bool has_tags = false, is_named = false;
    const struct field *since = NULL;
    size_t since_count = 0;
    for (size_t i = 0; i < count; ++i) {
        if (grammar_equal(fields[i].name, SPAN("if-none-match"))) {
            has_tags = true;
            is_named = is_named || grammar_equal(fields[i].value, SPAN("*")) ||
                       names_tag(fields[i].value, etag);
        } else if (grammar_equal(fields[i].name, SPAN("if-modified-since"))) {
            since = &fields[i];
            ++since_count;
        }
    }
    if (has_tags)
        return is_named;
    return since_count == 1 && is_since(since->value, last_modified, now_seconds);
}
