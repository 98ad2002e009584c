// Writes metrics as Prometheus reads them: text 0.0.4 or OpenMetrics 1.0.0. Pure.
//
// Both have the same samples under the same names; numbers of `le` are written alike too, so that
// no query depends on what a scraper asked for.
#ifndef GW_METRICSD_EXPOSITION_H
#define GW_METRICSD_EXPOSITION_H

#include <stdint.h>

#include "common/buf.h"
#include "families.h"

enum exposition_format { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS };

struct exposition {
    struct buf *out;
    enum exposition_format format;
    const struct family *family; // that samples are of
};

const char *exposition_content_type(enum exposition_format format);

void exposition_begin(struct exposition *exposition, struct buf *out,
                      enum exposition_format format);

// The samples that follow are of this family, each family once. `values` are those of the family's
// labels, in their order; NULL when it has none.
void exposition_family(struct exposition *exposition, enum family_id id);
void exposition_integer(struct exposition *exposition, const char *const *values, uint64_t number);
void exposition_number(struct exposition *exposition, const char *const *values, double number);
void exposition_seconds(struct exposition *exposition, const char *const *values, uint64_t us);

// Parts of a summary or histogram. `counts` are by histogram_bound.
void exposition_quantile(struct exposition *exposition, const char *quantile, double seconds);
void exposition_buckets(struct exposition *exposition, const char *const *values,
                        const uint64_t *counts);
void exposition_sum(struct exposition *exposition, const char *const *values, uint64_t us);
void exposition_count(struct exposition *exposition, const char *const *values, uint64_t number);

void exposition_end(struct exposition *exposition);

#endif
