// Accept and Accept-Encoding are lists of what is wanted, each with parameters; `q` says how much,
// from 0 (not at all) to 1. Parameters that we do not know are ignored, and so is a q that is none.
#include "accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

struct piece {
    const char *at;
    size_t length;
};

static struct piece trim(const char *at, size_t length)
{
    while (length > 0 && (*at == ' ' || *at == '\t'))
        ++at, --length;
    while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t'))
        --length;
    return (struct piece){at, length};
}

// Takes what is before the next separator off the front of *text.
static bool next_piece(struct piece *text, char separator, struct piece *piece)
{
    if (text->length == 0)
        return false;
    const char *end = memchr(text->at, separator, text->length);
    size_t length = end ? (size_t)(end - text->at) : text->length;
    size_t taken = end ? length + 1 : length;
    *piece = trim(text->at, length);
    text->at += taken;
    text->length -= taken;
    return true;
}

static bool is(struct piece piece, const char *word)
{
    return piece.length == strlen(word) && strncasecmp(piece.at, word, piece.length) == 0;
}

// In thousandths.
static int parse_weight(struct piece text)
{
    int weight = 0, unit = 1000;
    if (text.length == 0 || (text.at[0] != '0' && text.at[0] != '1'))
        return 1000;
    for (size_t i = 0; i < text.length && unit > 0; ++i) {
        if (text.at[i] == '.' && i == 1)
            continue;
        if (text.at[i] < '0' || text.at[i] > '9' || i == 1)
            return 1000;
        weight += (text.at[i] - '0') * unit;
        unit /= 10;
    }
    return weight > 1000 ? 1000 : weight;
}

// What stands behind the first ';' of a list's item.
struct parameters {
    int weight;
    struct piece version;
};

static struct parameters parse_parameters(struct piece rest)
{
    struct parameters parameters = {.weight = 1000};
    struct piece piece;
    while (next_piece(&rest, ';', &piece)) {
        if (piece.length >= 2 && strncasecmp(piece.at, "q=", 2) == 0)
            parameters.weight = parse_weight(trim(piece.at + 2, piece.length - 2));
        else if (piece.length >= 8 && strncasecmp(piece.at, "version=", 8) == 0)
            parameters.version = trim(piece.at + 8, piece.length - 8);
    }
    return parameters;
}

static void raise(int *weight, int other)
{
    if (other > *weight)
        *weight = other;
}

enum exposition_format accept_format(const char *accept)
{
    struct piece list = {accept, strlen(accept)}, item, type;
    int openmetrics = 0, text = 0;
    while (next_piece(&list, ',', &item)) {
        if (!next_piece(&item, ';', &type))
            continue;
        struct parameters parameters = parse_parameters(item);
        bool is_ours = parameters.version.length == 0 || is(parameters.version, "1.0.0");
        if (is(type, "application/openmetrics-text") && is_ours)
            raise(&openmetrics, parameters.weight);
        else if (is(type, "text/plain"))
            raise(&text, parameters.weight);
    }
    return openmetrics > 0 && openmetrics >= text ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
}

bool accept_gzip(const char *accept_encoding)
{
    struct piece list = {accept_encoding, strlen(accept_encoding)}, item, coding;
    int gzip = -1, any = 0;
    while (next_piece(&list, ',', &item)) {
        if (!next_piece(&item, ';', &coding))
            continue;
        int weight = parse_parameters(item).weight;
        if (is(coding, "gzip") || is(coding, "x-gzip"))
            raise(&gzip, weight);
        else if (is(coding, "*"))
            any = weight;
    }
    return (gzip == -1 ? any : gzip) > 0;
}
