// Written for speed, since every request has its line: no format strings, and a time that is made
// anew once a second.
#include "access_line.h"

#include <stdbool.h>
#include <string.h>

// Bytes of one text; each may become five. All texts of a line fit, and what stands between them.
enum {
    PATH_LIMIT = 1024,
    TEXT_LIMIT = 256,
    WIDEST = 5,
    TEXTS = 8,
    AROUND = 512,
    CUT = 3, // "..."
};

_Static_assert(2 * (TEXT_LIMIT + CUT) * WIDEST + AROUND < ACCESS_TAIL_MAX,
               "route and server may be longer than ACCESS_TAIL_MAX");
_Static_assert((PATH_LIMIT + CUT + TEXTS * (TEXT_LIMIT + CUT)) * WIDEST + AROUND < ACCESS_LINE_MAX,
               "a line may be longer than ACCESS_LINE_MAX");

// Most are short, and a call of memcpy would cost more than to copy both their ends.
static inline char *put(char *out, struct span text)
{
    const char *bytes = text.bytes;
    size_t length = text.length;
    if (length > 32) {
        memcpy(out, bytes, length);
    } else if (length >= 16) {
        memcpy(out, bytes, 16);
        memcpy(out + length - 16, bytes + length - 16, 16);
    } else if (length >= 8) {
        memcpy(out, bytes, 8);
        memcpy(out + length - 8, bytes + length - 8, 8);
    } else if (length >= 4) {
        memcpy(out, bytes, 4);
        memcpy(out + length - 4, bytes + length - 4, 4);
    } else if (length > 0) {
        out[0] = bytes[0];
        out[length / 2] = bytes[length / 2];
        out[length - 1] = bytes[length - 1];
    }
    return out + length;
}

#define PUT(out, literal) put(out, SPAN(literal))

// Always three digits. (Multiplying is cheaper than dividing, and exact for these.)
static char *put_thousandths(char *out, unsigned number)
{
    unsigned hundreds = number * 5243 >> 19, rest = number - hundreds * 100,
             tens = rest * 103 >> 10;
    out[0] = (char)('0' + hundreds);
    out[1] = (char)('0' + tens);
    out[2] = (char)('0' + rest - tens * 10);
    return out + 3;
}

static char *put_number(char *out, uint64_t number)
{
    if (number >= 1000)
        return put_thousandths(put_number(out, number / 1000), (unsigned)(number % 1000));
    char digits[3];
    put_thousandths(digits, (unsigned)number);
    size_t zeros = number >= 100 ? 0 : number >= 10 ? 1 : 2;
    return put(out, (struct span){digits + zeros, sizeof(digits) - zeros});
}

static char *put_ms(char *out, uint64_t us)
{
    out = put_number(out, us / 1000);
    *out++ = '.';
    return put_thousandths(out, (unsigned)(us % 1000));
}

static char *put_time(struct access_line *line, char *out, uint64_t wall_ms)
{
    enum { WHOLE = sizeof("2026-01-15T10:30:00.") - 1 };
    uint64_t second = wall_ms / 1000;
    if (second != line->second) {
        clock_format_iso(second * 1000, line->second_text);
        line->second = second;
    }
    out = put(out, (struct span){line->second_text, WHOLE});
    out = put_thousandths(out, (unsigned)(wall_ms % 1000));
    *out++ = 'Z';
    return out;
}

// --- what others have written -------------------------------------------------------------------

// Visible ASCII but '"' and '\\' stands for itself, and a blank where there are quotes around.
static char lowest_plain(enum access_log_form form)
{
    return form == ACCESS_LOG_JSON ? ' ' : '!';
}

static bool is_plain(char byte, char lowest)
{
    return byte >= lowest && byte < 0x7f && byte != '"' && byte != '\\';
}

// Are all eight? (In each line a byte gets its highest bit if it is one of those that are not.)
static bool are_plain(uint64_t word, char lowest)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    uint64_t quotes = word ^ ones * '"', backslashes = word ^ ones * '\\';
    uint64_t others = word | (word - ones * (uint64_t)lowest) | (word + ones);
    others |= (quotes - ones) | (backslashes - ones);
    return (others & highs) == 0;
}

// Almost every text is. The last eight bytes may be looked at twice.
static bool is_all_plain(struct span text, char lowest)
{
    uint64_t word;
    if (text.length < sizeof(word)) {
        char bytes[] = {'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'}; // plain where no text is
        (void)put(bytes, text);
        memcpy(&word, bytes, sizeof(word));
        return are_plain(word, lowest);
    }
    const char *last = text.bytes + text.length - sizeof(word);
    for (const char *at = text.bytes; at < last; at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        if (!are_plain(word, lowest))
            return false;
    }
    memcpy(&word, last, sizeof(word));
    return are_plain(word, lowest);
}

static char *put_escaped(char *out, struct span text, enum access_log_form form)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < text.length; ++i) {
        unsigned char byte = (unsigned char)text.bytes[i];
        if (is_plain((char)byte, lowest_plain(form))) {
            *out++ = (char)byte;
            continue;
        }
        out = form == ACCESS_LOG_JSON ? PUT(out, "\\\\x") : PUT(out, "\\x");
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    return out;
}

static char *put_foreign(char *out, struct span text, size_t limit, enum access_log_form form)
{
    struct span shown = {text.bytes, text.length <= limit ? text.length : limit};
    out = is_all_plain(shown, lowest_plain(form)) ? put(out, shown) : put_escaped(out, shown, form);
    return shown.length < text.length ? PUT(out, "...") : out;
}

static char *put_word(char *out, struct span text, size_t limit)
{
    return text.length == 0 ? PUT(out, "-") : put_foreign(out, text, limit, ACCESS_LOG_TEXT);
}

// One of our own words, which is short and plain.
static char *put_own(char *out, struct span text)
{
    return text.length == 0 ? PUT(out, "-") : put(out, text);
}

// A member whose value is a text; `name` has the comma before it and the colon.
static char *put_member(char *out, struct span name, struct span text, size_t limit)
{
    out = put(out, name);
    if (text.length == 0)
        return PUT(out, "null");
    *out++ = '"';
    out = put_foreign(out, text, limit, ACCESS_LOG_JSON);
    *out++ = '"';
    return out;
}

// --- the two forms ------------------------------------------------------------------------------

static struct span until(struct span text, char byte)
{
    const char *at = memchr(text.bytes, byte, text.length);
    return at != NULL ? (struct span){text.bytes, (size_t)(at - text.bytes)} : text;
}

struct span access_path(struct span target)
{
    static const char scheme_end[] = "://";
    struct span path = until(until(target, '?'), '#');
    if (path.length == 0 || *path.bytes == '/')
        return path;
    const char *end = path.bytes + path.length;
    const char *at = memmem(path.bytes, path.length, scheme_end, sizeof(scheme_end) - 1);
    if (at != NULL) {
        at += sizeof(scheme_end) - 1;
        const char *slash = memchr(at, '/', (size_t)(end - at));
        return slash != NULL ? (struct span){slash, (size_t)(end - slash)} : SPAN("/");
    }
    at = memrchr(path.bytes, '@', path.length); // of an authority alone
    return at != NULL ? (struct span){at + 1, (size_t)(end - at - 1)} : path;
}

static bool is_same(struct span a, struct span b)
{
    return a.bytes == b.bytes && a.length == b.length;
}

// Where it went is mostly where the last one went.
static char *put_tail(struct access_line *line, char *out, const struct access_record *record)
{
    struct span server = record->endpoint.length > 0 ? record->endpoint : record->upstream;
    if (line->tail_length == 0 || !is_same(line->tail_route, record->route) ||
        !is_same(line->tail_server, server)) {
        char *end = put_word(PUT(line->tail, " route="), record->route, TEXT_LIMIT);
        end = put_word(PUT(end, " upstream="), server, TEXT_LIMIT);
        line->tail_length = (size_t)(end - line->tail);
        line->tail_route = record->route;
        line->tail_server = server;
    }
    return put(out, (struct span){line->tail, line->tail_length});
}

static char *write_text(struct access_line *line, const struct access_record *record, char *out)
{
    out = put_time(line, out, record->wall_ms);
    out = put_own(PUT(out, " Worker ID "), line->worker);
    out = put_word(PUT(out, " "), record->method, TEXT_LIMIT);
    out = put_word(PUT(out, " "), record->path, PATH_LIMIT);
    out = put_thousandths(PUT(out, " "), record->status);
    out = put_ms(PUT(out, " "), record->duration_us);
    out = put_number(PUT(out, " ms "), record->bytes);
    out = put_own(PUT(out, " B "), record->ip);
    out = put_own(PUT(out, " "), record->cache);
    return put_tail(line, out, record);
}

static char *write_json(struct access_line *line, const struct access_record *record, char *out)
{
    out = put_time(line, PUT(out, "{\"time\":\""), record->wall_ms);
    out = put(PUT(out, "\",\"worker\":"), line->worker.length > 0 ? line->worker : SPAN("null"));
    out = put_member(out, SPAN(",\"method\":"), record->method, TEXT_LIMIT);
    out = put_member(out, SPAN(",\"path\":"), record->path, PATH_LIMIT);
    out = put_number(PUT(out, ",\"status\":"), record->status);
    out = put_ms(PUT(out, ",\"duration_ms\":"), record->duration_us);
    out = put_number(PUT(out, ",\"bytes\":"), record->bytes);
    out = put_member(out, SPAN(",\"ip\":"), record->ip, TEXT_LIMIT);
    out = put_member(out, SPAN(",\"cache\":"), record->cache, TEXT_LIMIT);
    out = put_member(out, SPAN(",\"route\":"), record->route, TEXT_LIMIT);
    out = put_member(out, SPAN(",\"upstream\":"), record->upstream, TEXT_LIMIT);
    out = put_member(out, SPAN(",\"endpoint\":"), record->endpoint, TEXT_LIMIT);
    out = put_member(out, SPAN(",\"user_agent\":"), record->user_agent, TEXT_LIMIT);
    return PUT(out, "}");
}

size_t access_line_write(struct access_line *line, const struct access_record *record, char *out)
{
    char *end = line->form == ACCESS_LOG_JSON ? write_json(line, record, out)
                                              : write_text(line, record, out);
    *end++ = '\n';
    return (size_t)(end - out);
}
