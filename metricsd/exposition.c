// The two formats differ in what is said about a family and in the end; samples are the same.
//
// No `_created`: a column counts on when its process is another one, so nobody knows since when a
// single series is counted.
#include "exposition.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/histogram.h"

#define TOTAL "_total"

static const char *const kinds[][2] = {
    [FAMILY_COUNTER] = {"counter", "counter"}, [FAMILY_GAUGE] = {"gauge", "gauge"},
    [FAMILY_SUMMARY] = {"summary", "summary"}, [FAMILY_HISTOGRAM] = {"histogram", "histogram"},
    [FAMILY_UNKNOWN] = {"untyped", "unknown"},
};

static const char *const bounds[HISTOGRAM_BOUNDS] = {"0.001", "0.0025", "0.005", "0.01", "0.025",
                                                     "0.05",  "0.1",    "0.25",  "0.5",  "1.0",
                                                     "2.5",   "5.0",    "10.0",  "+Inf"};

const char *exposition_content_type(enum exposition_format format)
{
    return format == EXPOSITION_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

void exposition_begin(struct exposition *exposition, struct buf *out, enum exposition_format format)
{
    *exposition = (struct exposition){.out = out, .format = format};
}

// --- families -----------------------------------------------------------------------------------

// OpenMetrics takes the suffix of a counter for one of the sample, not of the family.
static int name_length(const struct exposition *exposition)
{
    const struct family *family = exposition->family;
    size_t length = strlen(family->name);
    if (exposition->format == EXPOSITION_OPENMETRICS && family->kind == FAMILY_COUNTER)
        length -= strlen(TOTAL);
    return (int)length;
}

// `extra` is a character that is escaped too, beside the two that always are.
static void append_escaped(struct buf *out, const char *text, char extra)
{
    for (; *text != '\0'; ++text) {
        const char *escaped = *text == '\n' ? "\\n" : *text == '\\' ? "\\\\" : "\\\"";
        if (*text == '\n' || *text == '\\' || *text == extra)
            buf_append(out, escaped, 2);
        else
            buf_append(out, text, 1);
    }
}

void exposition_family(struct exposition *exposition, enum family_id id)
{
    const struct family *family = exposition->family = &families[id];
    struct buf *out = exposition->out;
    bool is_openmetrics = exposition->format == EXPOSITION_OPENMETRICS;
    int length = name_length(exposition);
    buf_printf(out, "# HELP %.*s ", length, family->name);
    append_escaped(out, family->help, is_openmetrics ? '"' : '\n');
    buf_printf(out, "\n# TYPE %.*s %s\n", length, family->name,
               kinds[family->kind][is_openmetrics]);
    if (is_openmetrics && family->unit)
        buf_printf(out, "# UNIT %.*s %s\n", length, family->name, family->unit);
}

// --- samples ------------------------------------------------------------------------------------

static void append_label(struct buf *out, char before, const char *name, const char *value)
{
    buf_append(out, &before, 1);
    buf_append_text(out, name);
    buf_append(out, "=\"", 2);
    append_escaped(out, value, '"');
    buf_append(out, "\"", 1);
}

// The name and the labels of a sample; `extra` may be NULL.
static void append_head(struct exposition *exposition, const char *suffix,
                        const char *const *values, const char *extra, const char *extra_value)
{
    const struct family *family = exposition->family;
    struct buf *out = exposition->out;
    char before = '{';
    buf_append_text(out, family->name);
    buf_append_text(out, suffix);
    for (unsigned i = 0; values && i < FAMILY_LABELS && family->labels[i]; ++i) {
        append_label(out, before, family->labels[i], values[i]);
        before = ',';
    }
    if (extra) {
        append_label(out, before, extra, extra_value);
        before = ',';
    }
    buf_append_text(out, before == ',' ? "} " : " ");
}

static void append_integer(struct buf *out, uint64_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\n';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buf_append(out, digits + at, sizeof digits - at);
}

static void append_number(struct buf *out, double number)
{
    if (isnan(number))
        buf_append_text(out, "NaN\n");
    else
        buf_printf(out, "%.9g\n", number);
}

// Without loss, and without zeros at the end.
static void append_seconds(struct buf *out, uint64_t us)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%llu.%06llu", (unsigned long long)(us / 1000000),
                          (unsigned long long)(us % 1000000));
    while (text[length - 1] == '0')
        --length;
    if (text[length - 1] == '.')
        --length;
    buf_append(out, text, (size_t)length);
    buf_append(out, "\n", 1);
}

void exposition_integer(struct exposition *exposition, const char *const *values, uint64_t number)
{
    append_head(exposition, "", values, NULL, NULL);
    append_integer(exposition->out, number);
}

void exposition_number(struct exposition *exposition, const char *const *values, double number)
{
    append_head(exposition, "", values, NULL, NULL);
    append_number(exposition->out, number);
}

void exposition_seconds(struct exposition *exposition, const char *const *values, uint64_t us)
{
    append_head(exposition, "", values, NULL, NULL);
    append_seconds(exposition->out, us);
}

void exposition_quantile(struct exposition *exposition, const char *quantile, double seconds)
{
    append_head(exposition, "", NULL, "quantile", quantile);
    append_number(exposition->out, seconds);
}

void exposition_buckets(struct exposition *exposition, const char *const *values,
                        const uint64_t *counts)
{
    uint64_t below = 0;
    for (unsigned i = 0; i < HISTOGRAM_BOUNDS; ++i) {
        below += counts[i];
        append_head(exposition, "_bucket", values, "le", bounds[i]);
        append_integer(exposition->out, below);
    }
}

void exposition_sum(struct exposition *exposition, const char *const *values, uint64_t us)
{
    append_head(exposition, "_sum", values, NULL, NULL);
    append_seconds(exposition->out, us);
}

void exposition_count(struct exposition *exposition, const char *const *values, uint64_t number)
{
    append_head(exposition, "_count", values, NULL, NULL);
    append_integer(exposition->out, number);
}

void exposition_end(struct exposition *exposition)
{
    if (exposition->format == EXPOSITION_OPENMETRICS)
        buf_append_text(exposition->out, "# EOF\n");
}
