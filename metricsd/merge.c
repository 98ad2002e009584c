// A hash index finds the series of a cell when it appears; per column a list of their numbers
// serves the passes.
//
// Invariant: of a column's first `mapped` cells `series_of` tells the series, and `fingerprint` is
// that of their keys. Cells are only appended, so another fingerprint, or fewer cells, is a column
// that its owner found damaged and began anew.
#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "common/foreign_text.h"
#include "common/histogram.h"
#include "common/log.h"
#include "common/map.h"
#include "common/mem.h"

#define NO_SERIES UINT32_MAX

enum { STATUS_END = 1000, GROW_FIRST = 256 };

struct column_map {
    uint32_t *series_of; // by cell
    uint32_t mapped, capacity;
    uint64_t fingerprint;
};

struct merge {
    const struct metrics_page *page;
    struct series *series;
    uint32_t count, capacity;
    uint32_t *index; // open addressing: a series' number + 1, or 0
    uint32_t index_mask;
    const struct series **sorted;
    uint32_t sorted_count;
    uint32_t family_at[METRIC_FAMILIES + 1]; // in `sorted`
    struct map *texts;                       // to their own copies, NUL-terminated
    struct column_map columns[STATE_COLUMNS];
    bool is_full; // and was complained about
};

// --- what makes sense ---------------------------------------------------------------------------

// How many labels a family has, and the ends of the ranges of first, second and bound.
static const struct rule {
    unsigned names, first_end, second_end, bound_end;
} rules[METRIC_FAMILIES] = {
    [METRIC_REQUESTS] = {1, METHOD_COUNT, STATUS_END, HISTOGRAM_BOUNDS},
    [METRIC_DURATION] = {0, HISTOGRAM_BUCKETS, 1, 1},
    [METRIC_DURATION_SUM] = {1, 1, 1, 1},
    [METRIC_RESPONSE_BYTES] = {1, 1, 1, 1},
    [METRIC_UPSTREAM_REQUESTS] = {2, STATUS_END, 1, 1},
    [METRIC_UPSTREAM_DURATION] = {1, 1, 1, HISTOGRAM_BOUNDS},
    [METRIC_UPSTREAM_DURATION_SUM] = {1, 1, 1, 1},
    [METRIC_UPSTREAM_FAILURES] = {2, FAILURE_COUNT, 1, 1},
    [METRIC_RETRIES] = {1, 1, 1, 1},
    [METRIC_CACHE] = {1, CACHE_COUNT, 1, 1},
    [METRIC_CACHE_WAITS] = {0, 1, 1, 1},
    [METRIC_CONNECTIONS] = {0, 1, 1, 1},
    [METRIC_ACCESS_LOG_DROPPED] = {0, 1, 1, 1},
    [METRIC_OVERFLOWS] = {0, 1, 1, 1},
};

// A status, or the hundreds of such as found no place.
static bool is_status(unsigned status)
{
    return (status >= 1 && status <= 5) || (status >= 100 && status < STATUS_END);
}

static bool is_sensible(const struct metric_key *key)
{
    if (key->family == METRIC_NONE || key->family >= METRIC_FAMILIES)
        return false;
    const struct rule *rule = &rules[key->family];
    if (key->first >= rule->first_end || key->second >= rule->second_end ||
        key->bound >= rule->bound_end)
        return false;
    if (key->family == METRIC_REQUESTS)
        return is_status(key->second);
    return key->family != METRIC_UPSTREAM_REQUESTS || is_status(key->first);
}

// --- series -------------------------------------------------------------------------------------

// The one copy of a text.
static const char *intern(struct merge *merge, const char *bytes, size_t length)
{
    char safe[METRICS_NAME_MAX + 1];
    length = foreign_text_copy(safe, sizeof safe, bytes, length);
    char *text = map_get_n(merge->texts, safe, length);
    if (!text) {
        text = mem_strdup(safe);
        map_put_n(merge->texts, safe, length, text);
    }
    return text;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static bool is_same(const struct series *a, const struct series *b)
{
    return a->family == b->family && a->first == b->first && a->second == b->second &&
           a->bound == b->bound && a->label[0] == b->label[0] && a->label[1] == b->label[1];
}

// Where a series stands in the index, or the free place where it would.
static uint32_t *find_place(const struct merge *merge, const struct series *wanted)
{
    uint64_t hash = mix((uint64_t)wanted->family << 16 | wanted->bound,
                        (uint64_t)wanted->first << 16 | wanted->second);
    hash = mix(mix(hash, (uintptr_t)wanted->label[0]), (uintptr_t)wanted->label[1]);
    uint32_t at = (uint32_t)(hash >> 32) & merge->index_mask;
    while (merge->index[at] != 0 && !is_same(&merge->series[merge->index[at] - 1], wanted))
        at = (at + 1) & merge->index_mask;
    return &merge->index[at];
}

// Room for one more; the index is at most half full.
static void grow(struct merge *merge)
{
    if (merge->count < merge->capacity)
        return;
    merge->capacity = merge->capacity == 0 ? GROW_FIRST : 2 * merge->capacity;
    merge->series = mem_realloc(merge->series, merge->capacity * sizeof *merge->series);
    merge->sorted_count = 0; // they have moved
    free(merge->index);
    merge->index_mask = 2 * merge->capacity - 1;
    merge->index = mem_zalloc(2 * (size_t)merge->capacity, sizeof *merge->index);
    for (uint32_t i = 0; i < merge->count; i++)
        *find_place(merge, &merge->series[i]) = i + 1;
}

static uint32_t add_series(struct merge *merge, const struct series *series)
{
    if (merge->count == MERGE_SERIES_MAX) {
        if (!merge->is_full)
            log_warn("metrics: more than %d series; the others are left out", MERGE_SERIES_MAX);
        merge->is_full = true;
        return NO_SERIES;
    }
    merge->series[merge->count] = *series;
    *find_place(merge, series) = ++merge->count;
    return merge->count - 1;
}

// The series of a cell's key, added if it is new.
static uint32_t find_series(struct merge *merge, const struct metrics_column *column,
                            const struct metric_key *key)
{
    struct series series = {
        .family = key->family, .first = key->first, .second = key->second, .bound = key->bound};
    if (!is_sensible(key))
        return NO_SERIES;
    series.label[0] = series.label[1] = intern(merge, "", 0);
    for (unsigned i = 0; i < rules[key->family].names; i++) {
        size_t length;
        const char *text = metrics_column_name(column, key->name[i], &length);
        if (text)
            series.label[i] = intern(merge, text, length);
        else if (i == 0 || key->name[i] != 0)
            return NO_SERIES; // the second one may be missing: of an overflow
    }
    grow(merge);
    uint32_t place = *find_place(merge, &series);
    return place != 0 ? place - 1 : add_series(merge, &series);
}

// --- columns ------------------------------------------------------------------------------------

static uint64_t add_to_fingerprint(uint64_t fingerprint, const struct metric_key *key)
{
    uint64_t words[2];
    memcpy(words, key, sizeof words);
    return mix(mix(fingerprint, words[0]), words[1]);
}

static bool is_as_mapped(const struct column_map *map, const struct metrics_column *column,
                         uint32_t count)
{
    uint64_t fingerprint = 0;
    if (count < map->mapped)
        return false;
    for (uint32_t i = 0; i < map->mapped; i++)
        fingerprint = add_to_fingerprint(fingerprint, &column->cells[i].key);
    return fingerprint == map->fingerprint;
}

static void map_column(struct merge *merge, struct column_map *map,
                       const struct metrics_column *column, uint32_t count)
{
    if (!is_as_mapped(map, column, count))
        map->mapped = 0, map->fingerprint = 0;
    if (count > map->capacity) {
        map->capacity = count + count / 4;
        map->series_of = mem_realloc(map->series_of, map->capacity * sizeof *map->series_of);
    }
    for (uint32_t i = map->mapped; i < count; i++) {
        struct metric_key key = column->cells[i].key; // its owner may change it meanwhile
        map->series_of[i] = find_series(merge, column, &key);
        map->fingerprint = add_to_fingerprint(map->fingerprint, &key);
    }
    map->mapped = count;
}

static void read_column(struct merge *merge, struct column_map *map,
                        const struct metrics_column *column)
{
    uint32_t count = metrics_column_cells(column);
    map_column(merge, map, column, count);
    for (uint32_t i = 0; i < count; i++)
        if (map->series_of[i] != NO_SERIES)
            merge->series[map->series_of[i]].value +=
                atomic_load_explicit(&column->cells[i].value, memory_order_relaxed);
}

static int compare(const void *a, const void *b)
{
    const struct series *one = *(const struct series *const *)a;
    const struct series *other = *(const struct series *const *)b;
    int order = (int)one->family - (int)other->family;
    for (unsigned i = 0; order == 0 && i < 2; i++)
        if (one->label[i] != other->label[i])
            order = strcmp(one->label[i], other->label[i]);
    if (order == 0)
        order = (int)one->first - (int)other->first;
    if (order == 0)
        order = (int)one->second - (int)other->second;
    return order != 0 ? order : (int)one->bound - (int)other->bound;
}

static void sort(struct merge *merge)
{
    if (merge->sorted_count == merge->count)
        return;
    merge->sorted = mem_realloc(merge->sorted, merge->capacity * sizeof *merge->sorted);
    for (uint32_t i = 0; i < merge->count; i++)
        merge->sorted[i] = &merge->series[i];
    qsort(merge->sorted, merge->count, sizeof *merge->sorted, compare);
    merge->sorted_count = merge->count;
    uint32_t at = 0;
    for (unsigned family = 0; family <= METRIC_FAMILIES; family++) {
        while (at < merge->count && merge->sorted[at]->family < family)
            at++;
        merge->family_at[family] = at;
    }
}

void merge_read(struct merge *merge)
{
    const struct metrics_page *page = merge->page;
    for (uint32_t i = 0; i < merge->count; i++)
        merge->series[i].value = 0;
    for (size_t i = 0; i < STATE_COLUMNS; i++)
        if (atomic_load_explicit(&page->opened[i], memory_order_relaxed) != 0)
            read_column(merge, &merge->columns[i], &page->column[i]);
    sort(merge);
}

void merge_read_baseline(struct merge *merge)
{
    uint32_t number = atomic_load_explicit(&merge->page->baseline, memory_order_acquire);
    for (uint32_t i = 0; i < merge->count; i++)
        merge->series[i].baseline = 0;
    if (number == 0 || number > METRICS_BASELINES)
        return;
    const struct metrics_column *column = &merge->page->baseline_column[number - 1];
    uint32_t count = metrics_column_cells(column);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t series = find_series(merge, column, &column->cells[i].key);
        if (series != NO_SERIES)
            merge->series[series].baseline +=
                atomic_load_explicit(&column->cells[i].value, memory_order_relaxed);
    }
    sort(merge);
}

// --- looking ------------------------------------------------------------------------------------

struct series_range merge_family(const struct merge *merge, enum metric_family family)
{
    uint32_t begin = merge->family_at[family], end = merge->family_at[family + 1];
    return (struct series_range){merge->sorted + begin, end - begin};
}

// --- life ---------------------------------------------------------------------------------------

struct merge *merge_new(const struct metrics_page *page)
{
    struct merge *merge = mem_zalloc(1, sizeof *merge);
    merge->page = page;
    merge->texts = map_new();
    return merge;
}

void merge_free(struct merge *merge)
{
    if (!merge)
        return;
    for (size_t i = 0; i < STATE_COLUMNS; i++)
        free(merge->columns[i].series_of);
    map_free(merge->texts, free);
    free(merge->series);
    free(merge->index);
    free(merge->sorted);
    free(merge);
}
