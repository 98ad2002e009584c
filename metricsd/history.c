// Rings of rows. Order matters where a kill may come in between: a row's time is taken away before
// the row changes and written when it is whole; a series' `seen_s` likewise.
#include "history.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/foreign_text.h"

enum { FORGET_S = 24 * 3600, SECONDS_IN_MINUTE = 60 };

static void set(_Atomic uint64_t *time, uint64_t value)
{
    atomic_store_explicit(time, value, memory_order_release);
    atomic_thread_fence(memory_order_release); // nor may later stores come before a 0
}

static uint64_t get(const _Atomic uint64_t *time)
{
    return atomic_load_explicit(time, memory_order_acquire);
}

static struct history_row *row_of_second(struct history *history, uint64_t second)
{
    return &history->second[second % HISTORY_SECONDS];
}

static struct history_row *row_of_minute(struct history *history, uint64_t minute)
{
    return &history->minute[minute % HISTORY_MINUTES];
}

static void clear_row(struct history_row *row)
{
    set(&row->time, 0);
    for (size_t i = 0; i < HISTORY_SERIES; i++)
        row->value[i] = NAN;
}

// --- series -------------------------------------------------------------------------------------

static void fill_text(char *out, size_t size, const char *text)
{
    out[0] = '\0';
    if (text)
        foreign_text_copy(out, size, text, strlen(text));
}

static bool is_same(const struct history_key *a, const struct history_key *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->label, b->label) == 0 &&
           strcmp(a->value, b->value) == 0;
}

// Takes a place over: nothing of the series that had it is left.
static void take_place(struct history *history, size_t place, const struct history_key *key,
                       uint64_t now_s)
{
    set(&history->series[place].seen_s, 0);
    for (size_t i = 0; i < HISTORY_SECONDS; i++)
        history->second[i].value[place] = NAN;
    for (size_t i = 0; i < HISTORY_MINUTES; i++)
        history->minute[i].value[place] = NAN;
    history->series[place].key = *key;
    set(&history->series[place].seen_s, now_s);
}

static bool is_free(const struct history_series *series, uint64_t now_s)
{
    uint64_t seen_s = get(&series->seen_s);
    return seen_s == 0 || seen_s + FORGET_S < now_s;
}

// HISTORY_SERIES: there is no place.
static size_t find_series(struct history *history, const struct history_key *key, uint64_t now_s)
{
    size_t place = HISTORY_SERIES;
    for (size_t i = 0; i < HISTORY_SERIES; i++) {
        if (history_key(history, i) && is_same(&history->series[i].key, key))
            return i;
        if (place == HISTORY_SERIES && is_free(&history->series[i], now_s))
            place = i;
    }
    if (place < HISTORY_SERIES)
        take_place(history, place, key, now_s);
    return place;
}

// --- rows ---------------------------------------------------------------------------------------

void history_begin(struct history *history, uint64_t now_s)
{
    clear_row(row_of_second(history, now_s));
}

void history_put(struct history *history, uint64_t now_s, const char *name, const char *label,
                 const char *value, double number)
{
    struct history_key key;
    fill_text(key.name, sizeof key.name, name);
    fill_text(key.label, sizeof key.label, label);
    fill_text(key.value, sizeof key.value, value);
    if (isnan(number))
        return;
    size_t place = find_series(history, &key, now_s);
    if (place == HISTORY_SERIES)
        return;
    set(&history->series[place].seen_s, now_s);
    row_of_second(history, now_s)->value[place] = (float)number;
}

// The mean of the seconds that there are.
static float mean_of_minute(const struct history *history, size_t series, uint64_t minute)
{
    double sum = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < SECONDS_IN_MINUTE; i++) {
        float value = history_at_second(history, series, minute * SECONDS_IN_MINUTE + i);
        if (isnan(value))
            continue;
        sum += value;
        ++count;
    }
    return count == 0 ? NAN : (float)(sum / count);
}

static void fold(struct history *history, uint64_t minute)
{
    struct history_row *row = row_of_minute(history, minute);
    clear_row(row);
    for (size_t i = 0; i < HISTORY_SERIES; i++)
        row->value[i] = mean_of_minute(history, i, minute);
    set(&row->time, minute);
    history->folded_minute = minute;
}

void history_end(struct history *history, uint64_t now_s)
{
    uint64_t minute = now_s / SECONDS_IN_MINUTE, kept = HISTORY_SECONDS / SECONDS_IN_MINUTE;
    uint64_t next = history->folded_minute + 1;
    set(&row_of_second(history, now_s)->time, now_s);
    // Of what was before the seconds that are kept there is nothing to fold; a clock that went back
    // begins again where it is now.
    if (next + kept <= minute || next > minute)
        next = minute >= kept ? minute - kept + 1 : 0;
    for (; next < minute; next++)
        fold(history, next);
}

// --- reading ------------------------------------------------------------------------------------

const struct history_key *history_key(const struct history *history, size_t series)
{
    return get(&history->series[series].seen_s) == 0 ? NULL : &history->series[series].key;
}

float history_at_second(const struct history *history, size_t series, uint64_t second)
{
    const struct history_row *row = &history->second[second % HISTORY_SECONDS];
    return second != 0 && get(&row->time) == second ? row->value[series] : NAN;
}

float history_at_minute(const struct history *history, size_t series, uint64_t minute)
{
    const struct history_row *row = &history->minute[minute % HISTORY_MINUTES];
    return minute != 0 && get(&row->time) == minute ? row->value[series] : NAN;
}
