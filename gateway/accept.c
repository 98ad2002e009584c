// Reads Accept. A quality that cannot be read is that of who gave none.
#include "accept.h"

#include <stdbool.h>

#include "grammar.h"

// The part before the next ';', trimmed; *rest is what follows it. false: there is none left.
static bool next_part(struct span *rest, struct span *part)
{
    if (rest->length == 0)
        return false;
    size_t length = 0;
    while (length < rest->length && rest->bytes[length] != ';')
        ++length;
    *part = grammar_trim((struct span){rest->bytes, length});
    size_t used = length < rest->length ? length + 1 : length;
    *rest = (struct span){rest->bytes + used, rest->length - used};
    return true;
}

// "1", "0.8", "0.333".
static unsigned read_quality(struct span text)
{
    unsigned value = 0, digit_worth = ACCEPT_MOST / 10;
    if (text.length == 0 || (text.bytes[0] != '0' && text.bytes[0] != '1'))
        return ACCEPT_MOST;
    value = (unsigned)(text.bytes[0] - '0') * ACCEPT_MOST;
    for (size_t i = 2; i < text.length && text.bytes[1] == '.'; ++i) {
        if (!grammar_is(text.bytes[i], GRAMMAR_DIGIT))
            return ACCEPT_MOST;
        value += (unsigned)(text.bytes[i] - '0') * digit_worth;
        digit_worth /= 10;
    }
    return value < ACCEPT_MOST ? value : ACCEPT_MOST;
}

static unsigned quality_of(struct span parameters)
{
    struct span parameter;
    while (next_part(&parameters, &parameter))
        if (parameter.length >= 2 && grammar_equal((struct span){parameter.bytes, 2}, SPAN("q=")))
            return read_quality((struct span){parameter.bytes + 2, parameter.length - 2});
    return ACCEPT_MOST;
}

unsigned accept_quality(const struct field *fields, size_t count, struct span type)
{
    for (size_t i = 0; i < count; ++i) {
        struct span rest = fields[i].value, element, name;
        if (!grammar_equal(fields[i].name, SPAN("accept")))
            continue;
        while (grammar_next_element(&rest, &element))
            if (next_part(&element, &name) && grammar_equal(name, type))
                return quality_of(element);
    }
    return 0;
}
