// Resetting: what was counted so far becomes the baseline that the JSON views subtract. Counters
// themselves never go back: /metrics does not know of it.
#ifndef GW_METRICSD_BASELINE_H
#define GW_METRICSD_BASELINE_H

#include "merge.h"

// Writes what merge_read has read last into the baseline column that is not in use, then switches
// to it: killed in between, the old one holds.
void baseline_set(struct metrics_page *page, struct merge *merge, uint64_t now_wall_ms);

#endif
