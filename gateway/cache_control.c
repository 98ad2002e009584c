// Splits Cache-Control (RFC 9111 §5.2): a list of tokens, each with or without an argument, which
// is a token or a quoted string.
#include "cache_control.h"

#include <string.h>

#include "grammar.h"

// Behind the quoted string that starts at `from`, or NULL when it is not closed.
static const char *skip_quoted(const char *from, const char *end)
{
    for (const char *at = from + 1; at < end; ++at) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\')
            ++at;
    }
    return NULL;
}

// The comma that ends the directive, or end.
static const char *find_end(const char *from, const char *end)
{
    while (from < end && *from != ',') {
        const char *behind = *from == '"' ? skip_quoted(from, end) : NULL;
        from = behind != NULL ? behind : from + 1;
    }
    return from;
}

static void split(struct span text, struct cache_directive *directive)
{
    const char *end = text.bytes + text.length;
    const char *stop = grammar_skip(text.bytes, end, GRAMMAR_TOKEN);
    directive->name = (struct span){text.bytes, (size_t)(stop - text.bytes)};
    struct span rest = grammar_trim((struct span){stop, (size_t)(end - stop)});
    if (rest.length > 0 && *rest.bytes == '=')
        rest = grammar_trim((struct span){rest.bytes + 1, rest.length - 1});
    directive->argument = rest;
}

bool cache_control_next(struct span *rest, struct cache_directive *directive)
{
    while (rest->length > 0) {
        const char *end = rest->bytes + rest->length;
        const char *stop = find_end(rest->bytes, end);
        struct span text = grammar_trim((struct span){rest->bytes, (size_t)(stop - rest->bytes)});
        const char *next = stop == end ? end : stop + 1;
        *rest = (struct span){next, (size_t)(end - next)};
        if (text.length == 0)
            continue;
        split(text, directive);
        return true;
    }
    return false;
}
