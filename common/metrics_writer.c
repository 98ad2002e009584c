// Appends names and cells, and finds cells by a private index.
//
// Invariant: a cell is whole in memory before `cell_count` covers it, a name before `names_used`
// does; both only grow.

#include "common/metrics_writer.h"

#include <stdlib.h>
#include <string.h>

#include "common/histogram.h"
#include "common/mem.h"

enum { INDEX_MIN = 1024, PLACES = METRICS_CELLS - METRICS_OVERFLOW_CELLS };

static const struct metric_key overflows_key = {.family = METRIC_OVERFLOWS};

// --- the index ----------------------------------------------------------------------------------

static bool is_same(const struct metric_key *a, const struct metric_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static uint32_t hash_key(const struct metric_key *key)
{
    uint64_t words[2];
    memcpy(words, key, sizeof words);
    uint64_t mixed =
        (words[0] ^ words[1] * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(mixed >> 32);
}

// Where a key stands in the index, or the free place where it would.
static uint32_t *find_place(const struct metrics_writer *writer, const struct metric_key *key)
{
    uint32_t at = hash_key(key) & writer->index_mask;
    while (writer->index[at] != 0 &&
           !is_same(&writer->column->cells[writer->index[at] - 1].key, key))
        at = (at + 1) & writer->index_mask;
    return &writer->index[at];
}

// At most half full. What stands twice (a damaged column) is found once.
static void build_index(struct metrics_writer *writer, uint32_t count)
{
    uint32_t size = INDEX_MIN;
    while (size < 2 * (count + 1))
        size *= 2;
    free(writer->index);
    writer->index = mem_zalloc(size, sizeof *writer->index);
    writer->index_mask = size - 1;
    for (uint32_t i = 0; i < count; i++)
        *find_place(writer, &writer->column->cells[i].key) = i + 1;
}

// --- appending ----------------------------------------------------------------------------------

static struct metric_cell *append_cell(struct metrics_writer *writer, const struct metric_key *key)
{
    uint32_t count = metrics_column_cells(writer->column);
    struct metric_cell *cell = &writer->column->cells[count];
    cell->key = *key;
    atomic_store_explicit(&cell->value, 0, memory_order_relaxed);
    atomic_store_explicit(&writer->column->cell_count, count + 1, memory_order_release);
    if (2 * (count + 2) > writer->index_mask + 1)
        build_index(writer, count + 1);
    else
        *find_place(writer, key) = count + 1;
    return cell;
}

static struct metric_cell *get_cell(struct metrics_writer *writer, const struct metric_key *key,
                                    uint32_t limit)
{
    uint32_t place = *find_place(writer, key);
    if (place != 0)
        return &writer->column->cells[place - 1];
    return metrics_column_cells(writer->column) < limit ? append_cell(writer, key) : NULL;
}

static bool has_name(enum metric_family family)
{
    return family != METRIC_DURATION && family != METRIC_CACHE_WAITS &&
           family != METRIC_CONNECTIONS && family != METRIC_ACCESS_LOG_DROPPED &&
           family != METRIC_OVERFLOWS;
}

// All that overflow_cell can make: of requests, which is most, of durations, and of the others.
_Static_assert(METHOD_COUNT * 5 * HISTOGRAM_BOUNDS + HISTOGRAM_BUCKETS + 5 + HISTOGRAM_BOUNDS +
                       FAILURE_COUNT + CACHE_COUNT + METRIC_FAMILIES <
                   METRICS_OVERFLOW_CELLS,
               "what finds no place must find one in the overflow");

// Of all routes, upstreams and endpoints that found no place; of statuses their hundreds, so that
// these cells are few. The last resort is one cell that counts nothing but that.
static struct metric_cell *overflow_cell(struct metrics_writer *writer,
                                         const struct metric_key *key)
{
    struct metric_key other = *key;
    other.name[0] = has_name(key->family) ? writer->overflow : 0;
    other.name[1] = 0;
    if (key->family == METRIC_REQUESTS)
        other.second = key->second / 100;
    if (key->family == METRIC_UPSTREAM_REQUESTS)
        other.first = key->first / 100;
    metric_add(writer->overflows, 1);
    struct metric_cell *cell = get_cell(writer, &other, METRICS_CELLS);
    return cell ? cell : writer->overflows;
}

struct metric_cell *metrics_writer_cell(struct metrics_writer *writer, const struct metric_key *key)
{
    if (key->name[0] == 0 && has_name(key->family))
        return overflow_cell(writer, key);
    struct metric_cell *cell = get_cell(writer, key, PLACES);
    return cell ? cell : overflow_cell(writer, key);
}

uint32_t metrics_writer_name(struct metrics_writer *writer, const char *text, size_t length)
{
    struct metrics_column *column = writer->column;
    uint32_t used = atomic_load_explicit(&column->names_used, memory_order_relaxed);
    if (length > METRICS_NAME_MAX)
        length = METRICS_NAME_MAX;
    for (uint32_t at = 1; at < used; at += 1 + (unsigned char)column->names[at])
        if ((unsigned char)column->names[at] == length &&
            memcmp(column->names + at + 1, text, length) == 0)
            return at;
    if (used + 1 + length > METRICS_NAMES_SIZE)
        return 0;
    column->names[used] = (char)length;
    memcpy(column->names + used + 1, text, length);
    atomic_store_explicit(&column->names_used, used + 1 + (uint32_t)length, memory_order_release);
    return used;
}

void metrics_writer_error(struct metrics_writer *writer, enum metric_error_kind kind,
                          const struct metric_error *error)
{
    struct metric_error_ring *ring = &writer->column->errors[kind];
    uint64_t begun = atomic_load_explicit(&ring->begun, memory_order_relaxed) + 1;
    atomic_store_explicit(&ring->begun, begun, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    ring->slot[(begun - 1) % METRICS_ERRORS] = *error;
    atomic_store_explicit(&ring->written, begun, memory_order_release);
}

// --- life ---------------------------------------------------------------------------------------

// The names must tile what is used of them, or finding one would leave it; the first cell is what
// metrics_writer_init puts there.
static bool is_sound(const struct metrics_column *column)
{
    uint32_t used = atomic_load_explicit(&column->names_used, memory_order_relaxed);
    uint32_t at = 1;
    if (used == 0 || used > METRICS_NAMES_SIZE)
        return false;
    while (at < used)
        at += 1 + (unsigned char)column->names[at];
    return at == used &&
           (metrics_column_cells(column) == 0 || is_same(&column->cells[0].key, &overflows_key));
}

void metrics_writer_init(struct metrics_writer *writer, struct metrics_column *column)
{
    *writer = (struct metrics_writer){.column = column};
    if (!is_sound(column)) { // new, or nothing in it can be told
        atomic_store_explicit(&column->cell_count, 0, memory_order_relaxed);
        atomic_store_explicit(&column->names_used, 1, memory_order_release);
    }
    build_index(writer, metrics_column_cells(column));
    writer->overflows = get_cell(writer, &overflows_key, METRICS_CELLS);
    writer->overflow =
        metrics_writer_name(writer, METRIC_ROUTE_OVERFLOW, strlen(METRIC_ROUTE_OVERFLOW));
}

void metrics_writer_fini(struct metrics_writer *writer)
{
    free(writer->index);
    writer->index = NULL;
}
