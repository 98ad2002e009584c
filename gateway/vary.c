// Reads Vary. A "*" counts wherever it stands, and what cannot be read counts as one (RFC 9110
// §12.5.5): an answer that varies by more than we know must not be reused.
#include "vary.h"

#include <string.h>
#include <strings.h>

#include "grammar.h"

static int compare(struct span left, struct span right)
{
    size_t shorter = left.length < right.length ? left.length : right.length;
    int order = strncasecmp(left.bytes, right.bytes, shorter);
    return order != 0 ? order : (left.length > right.length) - (left.length < right.length);
}

static bool is_token(struct span name)
{
    const char *end = name.bytes + name.length;
    return name.length > 0 && grammar_skip(name.bytes, end, GRAMMAR_TOKEN) == end;
}

static bool add_name(struct vary *vary, struct span name)
{
    size_t at = vary->count;
    while (at > 0 && compare(vary->names[at - 1], name) > 0)
        --at;
    if (at > 0 && compare(vary->names[at - 1], name) == 0)
        return true;
    if (vary->count == VARY_MAX_NAMES)
        return false;
    memmove(&vary->names[at + 1], &vary->names[at], (vary->count - at) * sizeof(name));
    vary->names[at] = name;
    ++vary->count;
    return true;
}

static bool add_field(struct vary *vary, struct span value)
{
    struct span name;
    while (grammar_next_element(&value, &name))
        if (grammar_equal(name, SPAN("*")) || !is_token(name) || !add_name(vary, name))
            return false;
    return true;
}

bool vary_read(const struct field *fields, size_t count, struct vary *vary)
{
    vary->count = 0;
    for (size_t i = 0; i < count; ++i)
        if (grammar_equal(fields[i].name, SPAN("vary")) && !add_field(vary, fields[i].value))
            return false;
    return true;
}

bool vary_equal(const struct vary *left, const struct vary *right)
{
    if (left->count != right->count)
        return false;
    for (size_t i = 0; i < left->count; ++i)
        if (compare(left->names[i], right->names[i]) != 0)
            return false;
    return true;
}
