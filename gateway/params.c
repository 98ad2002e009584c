// Splits queries and Cookie fields, and reads escapes in queries.
//
// Not its job: what a parameter means. Nothing here fails: whatever stands between two separators
// is a pair, with or without a value.
#include "params.h"

#include <string.h>

#include "grammar.h"

// --- pairs --------------------------------------------------------------------------------------

static struct span take_piece(struct span *rest, char separator)
{
    const char *stop = memchr(rest->bytes, separator, rest->length);
    size_t length = stop == NULL ? rest->length : (size_t)(stop - rest->bytes);
    size_t used = stop == NULL ? length : length + 1;
    struct span piece = {rest->bytes, length};
    rest->bytes += used;
    rest->length -= used;
    return piece;
}

static void split(struct span text, struct param *param)
{
    const char *equals = memchr(text.bytes, '=', text.length);
    size_t length = equals == NULL ? text.length : (size_t)(equals - text.bytes);
    size_t value_at = equals == NULL ? length : length + 1;
    param->text = text;
    param->has_value = equals != NULL;
    param->name = (struct span){text.bytes, length};
    param->value = (struct span){text.bytes + value_at, text.length - value_at};
}

bool params_next_query(struct span *rest, struct param *param)
{
    while (rest->length > 0) {
        struct span piece = take_piece(rest, '&');
        split(piece, param);
        if (piece.length > 0)
            return true;
    }
    return false;
}

bool params_next_cookie(struct span *rest, struct param *param)
{
    while (rest->length > 0) {
        struct span piece = grammar_trim(take_piece(rest, ';'));
        split(piece, param);
        param->name = grammar_trim(param->name);
        param->value = grammar_trim(param->value);
        if (piece.length > 0)
            return true;
    }
    return false;
}

// --- escapes ------------------------------------------------------------------------------------

static bool is_escape(struct span text)
{
    return text.length >= 3 && text.bytes[0] == '%' && grammar_hex(text.bytes[1]) >= 0 &&
           grammar_hex(text.bytes[2]) >= 0;
}

// Takes one byte off the text, as it reads; -1 at the end.
static int next_byte(struct span *text)
{
    if (text->length == 0)
        return -1;
    size_t used = is_escape(*text) ? 3 : 1;
    int byte = *text->bytes == '+' ? ' ' : (unsigned char)*text->bytes;
    if (used == 3)
        byte = grammar_hex(text->bytes[1]) * 16 + grammar_hex(text->bytes[2]);
    text->bytes += used;
    text->length -= used;
    return byte;
}

int params_compare(struct span left, struct span right)
{
    for (;;) {
        int left_byte = next_byte(&left);
        int right_byte = next_byte(&right);
        if (left_byte != right_byte || left_byte < 0)
            return left_byte - right_byte;
    }
}

bool params_name_is(struct span name, const char *plain)
{
    for (; *plain != '\0'; ++plain)
        if (next_byte(&name) != (unsigned char)*plain)
            return false;
    return name.length == 0;
}

struct span params_decode(struct span text, struct buf *out)
{
    size_t before = out->length;
    if (memchr(text.bytes, '%', text.length) == NULL &&
        memchr(text.bytes, '+', text.length) == NULL)
        return text;
    char *to = buf_reserve(out, text.length);
    size_t length = 0;
    int byte;
    while ((byte = next_byte(&text)) >= 0)
        to[length++] = (char)byte;
    buf_commit(out, length);
    return (struct span){out->data + before, length};
}
