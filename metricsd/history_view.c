// /history: up to 230 000 numbers, so they are written as text at once instead of being made
// objects first.
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "history.h"
#include "views.h"

enum { SECONDS_IN_MINUTE = 60, NUMBER_SIZE = 32, DECIMALS = 3 };

struct range {
    unsigned step_s;
    size_t points;
    float (*at)(const struct history *history, size_t series, uint64_t time);
};

static const struct range hour = {1, HISTORY_SECONDS - 1, history_at_second};
static const struct range day = {SECONDS_IN_MINUTE, HISTORY_MINUTES - 1, history_at_minute};

// Three decimals at most: more would say more than was measured.
static void append_point(struct buf *out, float value)
{
    char text[NUMBER_SIZE];
    size_t at = sizeof text;
    unsigned decimals = DECIMALS;
    double scaled = round(fabs((double)value) * 1000);
    if (!(scaled < 1e18)) { // also what is no number
        buf_append(out, "null", 4);
        return;
    }
    uint64_t number = (uint64_t)scaled;
    for (; decimals > 0 && number % 10 == 0; --decimals)
        number /= 10;
    for (unsigned i = 0; i < decimals; ++i, number /= 10)
        text[--at] = (char)('0' + number % 10);
    if (decimals > 0)
        text[--at] = '.';
    do
        text[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    if (value < 0 && scaled > 0)
        text[--at] = '-';
    buf_append(out, text + at, sizeof text - at);
}

static void append_series_head(struct buf *out, const struct history_key *key)
{
    struct json_object *object = json_object_new_object(), *labels = json_object_new_object();
    if (key->label[0] != '\0')
        json_object_object_add(labels, key->label, json_object_new_string(key->value));
    json_object_object_add(object, "name", json_object_new_string(key->name));
    json_object_object_add(object, "labels", labels);
    const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE);
    buf_append(out, text, strlen(text) - 1); // its last brace comes after the points
    json_object_put(object);
}

static void append_series(struct buf *out, const struct history *history, size_t series,
                          const struct range *range, uint64_t from)
{
    append_series_head(out, history_key(history, series));
    buf_append_text(out, ",\"points\":[");
    for (size_t i = 0; i < range->points; i++) {
        if (i > 0)
            buf_append(out, ",", 1);
        append_point(out, range->at(history, series, from + i));
    }
    buf_append_text(out, "]}");
}

static bool is_in_list(const char *list, size_t length, const char *name)
{
    while (length > 0) {
        const char *comma = memchr(list, ',', length);
        size_t part = comma ? (size_t)(comma - list) : length;
        if (part == strlen(name) && memcmp(list, name, part) == 0)
            return true;
        list += part + (comma != NULL);
        length -= part + (comma != NULL);
    }
    return false;
}

static const struct range *parse_range(const char *query)
{
    size_t length;
    const char *text = view_parameter(query, "range", &length);
    if (!text || (length == 2 && memcmp(text, "1h", length) == 0))
        return &hour;
    return length == 3 && memcmp(text, "24h", length) == 0 ? &day : NULL;
}

int view_history(const struct facts *facts, const char *query, struct moment now, struct buf *out)
{
    const struct range *range = parse_range(query);
    size_t length = 0;
    const char *names = view_parameter(query, "series", &length);
    if (!range)
        return -1;
    // The second or minute that is under way is no part of it.
    uint64_t from = now.wall_ms / 1000 / range->step_s - range->points;
    const char *before = "";
    buf_printf(out, "{\"step\":%u,\"from\":%" PRIu64 ",\"series\":[", range->step_s,
               from * range->step_s);
    for (size_t i = 0; i < HISTORY_SERIES; i++) {
        const struct history_key *key = history_key(facts->history, i);
        if (!key || (names && !is_in_list(names, length, key->name)))
            continue;
        buf_append_text(out, before);
        append_series(out, facts->history, i, range, from);
        before = ",";
    }
    buf_append_text(out, "]}\n");
    return 0;
}
