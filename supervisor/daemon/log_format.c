// Dates by the tokens that people know from PM2, and records of JSON from bytes of any kind.

#include "log_format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/json_token.h"
#include "log_lines.h"

// --- dates --------------------------------------------------------------------------------------

enum part {
    PART_YEAR,
    PART_YEAR_SHORT,
    PART_MONTH,
    PART_DAY,
    PART_HOUR,
    PART_HOUR_12,
    PART_MINUTE,
    PART_SECOND,
    PART_MILLISECOND,
    PART_HALF_LARGE,
    PART_HALF_SMALL,
    PART_ZONE_COLON,
    PART_ZONE,
    PART_UNIX,
    PART_UNIX_MS,
};

// A token comes before those that it begins with.
static const struct token {
    const char *text;
    enum part part;
    int width;
} tokens[] = {
    {"YYYY", PART_YEAR, 4},    {"YY", PART_YEAR_SHORT, 2}, {"MM", PART_MONTH, 2},
    {"M", PART_MONTH, 1},      {"DD", PART_DAY, 2},        {"D", PART_DAY, 1},
    {"HH", PART_HOUR, 2},      {"H", PART_HOUR, 1},        {"hh", PART_HOUR_12, 2},
    {"h", PART_HOUR_12, 1},    {"mm", PART_MINUTE, 2},     {"m", PART_MINUTE, 1},
    {"ss", PART_SECOND, 2},    {"s", PART_SECOND, 1},      {"SSS", PART_MILLISECOND, 3},
    {"A", PART_HALF_LARGE, 0}, {"a", PART_HALF_SMALL, 0},  {"ZZ", PART_ZONE, 0},
    {"Z", PART_ZONE_COLON, 0}, {"X", PART_UNIX, 0},        {"x", PART_UNIX_MS, 0},
};

static const struct token *find_token(const char *text)
{
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        if (strncmp(text, tokens[i].text, strlen(tokens[i].text)) == 0)
            return &tokens[i];
    }
    return NULL;
}

static void append_zone(struct buf *out, const struct tm *local, const char *between)
{
    long minutes = labs(local->tm_gmtoff / 60);
    buf_printf(out, "%c%02ld%s%02ld", local->tm_gmtoff < 0 ? '-' : '+', minutes / 60, between,
               minutes % 60);
}

static int number_of(enum part part, const struct tm *local, uint64_t wall_ms)
{
    const int numbers[] = {
        [PART_YEAR] = local->tm_year + 1900,
        [PART_YEAR_SHORT] = local->tm_year % 100,
        [PART_MONTH] = local->tm_mon + 1,
        [PART_DAY] = local->tm_mday,
        [PART_HOUR] = local->tm_hour,
        [PART_HOUR_12] = (local->tm_hour + 11) % 12 + 1,
        [PART_MINUTE] = local->tm_min,
        [PART_SECOND] = local->tm_sec,
        [PART_MILLISECOND] = (int)(wall_ms % 1000),
    };
    return numbers[part];
}

static void append_part(struct buf *out, const struct token *token, const struct tm *local,
                        uint64_t wall_ms)
{
    bool morning = local->tm_hour < 12;
    if (token->part <= PART_MILLISECOND)
        buf_printf(out, "%0*d", token->width, number_of(token->part, local, wall_ms));
    else if (token->part == PART_HALF_LARGE)
        buf_append_text(out, morning ? "AM" : "PM");
    else if (token->part == PART_HALF_SMALL)
        buf_append_text(out, morning ? "am" : "pm");
    else if (token->part == PART_UNIX)
        buf_printf(out, "%" PRIu64, wall_ms / 1000);
    else if (token->part == PART_UNIX_MS)
        buf_printf(out, "%" PRIu64, wall_ms);
    else
        append_zone(out, local, token->part == PART_ZONE_COLON ? ":" : "");
}

void log_format_append_date(struct buf *out, const char *form, uint64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    while (*form) {
        const char *end = *form == '[' ? strchr(form, ']') : NULL;
        const struct token *token = end ? NULL : find_token(form);
        if (end)
            buf_append(out, form + 1, (size_t)(end - form) - 1);
        else if (token)
            append_part(out, token, &local, wall_ms);
        else
            buf_append(out, form, 1);
        form = end ? end + 1 : form + (token ? strlen(token->text) : 1);
    }
}

// --- JSON ---------------------------------------------------------------------------------------

// The length of the UTF-8 character that the bytes, of which the first is no ASCII, begin with; 0:
// they begin with none.
static size_t character_length(const char *bytes, size_t length)
{
    unsigned char lead = (unsigned char)*bytes;
    size_t whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    return whole <= length && json_token_is_utf8(bytes, whole) ? whole : 0;
}

static void append_escaped(struct buf *out, char byte)
{
    if (byte == '"' || byte == '\\')
        buf_printf(out, "\\%c", byte);
    else if (byte == '\t')
        buf_append_text(out, "\\t");
    else
        buf_printf(out, "\\u%04x", (unsigned)byte);
}

static bool is_bare(char byte)
{
    return (unsigned char)byte >= 0x20 && (unsigned char)byte < 0x80 && byte != '"' && byte != '\\';
}

// Bytes that are no UTF-8 become U+FFFD: the record is valid whatever the app writes.
static void append_string(struct buf *out, const char *bytes, size_t length)
{
    size_t run;
    buf_append(out, "\"", 1);
    for (; length > 0; bytes += run, length -= run) {
        for (run = 0; run < length && is_bare(bytes[run]);)
            run++;
        if (run == 0 && (unsigned char)*bytes >= 0x80)
            run = character_length(bytes, length);
        if (run > 0) {
            buf_append(out, bytes, run);
            continue;
        }
        if ((unsigned char)*bytes >= 0x80)
            buf_append_text(out, "\xef\xbf\xbd");
        else
            append_escaped(out, *bytes);
        run = 1;
    }
    buf_append(out, "\"", 1);
}

// What stands before the message in each record of this moment.
static void append_head(struct buf *out, const struct log_format *format, const char *date,
                        size_t length)
{
    buf_append_text(out, "{\"timestamp\":");
    append_string(out, date, length);
    buf_printf(out, ",\"type\":\"%s\",\"app_name\":", format->error ? "err" : "out");
    append_string(out, format->app, strlen(format->app));
    buf_printf(out, ",\"process_id\":%u,\"message\":", format->id);
}

// --- lines --------------------------------------------------------------------------------------

bool log_format_is_plain(const struct log_format *format)
{
    return !format->json && !format->date;
}

static void build_prefix(struct buf *prefix, const struct log_format *format, uint64_t wall_ms)
{
    struct buf date = BUF_INIT;
    char iso[CLOCK_ISO_SIZE];

    if (format->date) {
        log_format_append_date(&date, format->date, wall_ms);
    } else {
        clock_format_iso(wall_ms, iso);
        buf_append_text(&date, iso);
    }
    if (format->json) {
        append_head(prefix, format, date.data, date.length);
    } else {
        buf_append(prefix, date.data, date.length);
        buf_append_text(prefix, ": ");
    }
    buf_free(&date);
}

void log_format_append_lines(struct buf *out, const struct log_format *format, uint64_t wall_ms,
                             const char *bytes, size_t length)
{
    struct buf prefix = BUF_INIT;
    build_prefix(&prefix, format, wall_ms);
    for (size_t step; length > 0; bytes += step, length -= step) {
        size_t line = log_lines_next(bytes, length, &step);
        buf_append(out, prefix.data, prefix.length);
        if (format->json) {
            append_string(out, bytes, line);
            buf_append(out, "}", 1);
        } else {
            buf_append(out, bytes, line);
        }
        buf_append(out, "\n", 1);
    }
    buf_free(&prefix);
}
