// Counting in a column of the metrics page. Finding a cell is a look into a private index, so that
// the column itself stays a plain list.
//
// There is always a place: a name or a cell that would be too many is counted in the cells of the
// route `overflow`, which every column has from the start, and METRIC_OVERFLOWS tells how often.
#ifndef GW_COMMON_METRICS_WRITER_H
#define GW_COMMON_METRICS_WRITER_H

#include <stdint.h>

#include "common/metrics_page.h"

struct metrics_writer {
    struct metrics_column *column;
    uint32_t *index; // open addressing: the number of a cell + 1, or 0
    uint32_t index_mask;
    uint32_t overflow; // the name of METRIC_ROUTE_OVERFLOW
    struct metric_cell *overflows;
};

// Goes on with what is in the column (borrowed), which may be nothing. What a killed predecessor
// has left there is taken as far as it is sound.
void metrics_writer_init(struct metrics_writer *writer, struct metrics_column *column);
void metrics_writer_fini(struct metrics_writer *writer);

// The number of a text in the column's names, added if it is new. 0: there is no place.
uint32_t metrics_writer_name(struct metrics_writer *writer, const char *text, size_t length);

// The cell of a key, added with 0 if it is new. Never NULL; see above. A key with a name of 0 that
// its family should have counts as one without place.
struct metric_cell *metrics_writer_cell(struct metrics_writer *writer,
                                        const struct metric_key *key);

// The only writer of its column needs no locked instruction.
static inline void metric_add(struct metric_cell *cell, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(&cell->value, memory_order_relaxed);
    atomic_store_explicit(&cell->value, value + amount, memory_order_relaxed);
}

// Appends a record (copied) to a ring of the column.
void metrics_writer_error(struct metrics_writer *writer, enum metric_error_kind kind,
                          const struct metric_error *error);

#endif
