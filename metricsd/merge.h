// The columns of the metrics page as one list of series: cells of different columns that count the
// same, by the texts of their labels, are summed.
//
// Which cell belongs to which series is found out once, when the cell appears; a look at the page
// is one pass of loads and adds over the columns that somebody has opened. Everything in a column
// is foreign: a cell that makes no sense is left out, and a column whose cells are other ones than
// before is taken anew. No I/O but the loads.
#ifndef GW_METRICSD_MERGE_H
#define GW_METRICSD_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/metrics_page.h"

enum { MERGE_SERIES_MAX = 4 * METRICS_CELLS };

struct series {
    const char *label[2]; // valid UTF-8; "" where there is none; the same text is the same pointer
    uint16_t family, first, second, bound; // as in struct metric_key, and valid
    uint64_t value;
    uint64_t baseline; // what it was at the last reset
};

struct merge;

// The page is borrowed. Nothing is read yet.
struct merge *merge_new(const struct metrics_page *page);
void merge_free(struct merge *merge); // NULL is allowed

// Looks at all columns. Pointers to series are valid until the next look.
void merge_read(struct merge *merge);

// Takes `baseline` of all series from the page's baseline column. After a reset, and once in the
// beginning.
void merge_read_baseline(struct merge *merge);

// The series of a family, sorted by labels (as bytes), then by first, second and bound.
struct series_range {
    const struct series *const *items;
    size_t count;
};
struct series_range merge_family(const struct merge *merge, enum metric_family family);

// What was counted since the last reset.
static inline uint64_t series_since_reset(const struct series *series)
{
    return series->value > series->baseline ? series->value - series->baseline : 0;
}

#endif
