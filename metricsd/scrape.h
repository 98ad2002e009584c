// What a scrape of /api/monitoring/metrics holds.
#ifndef GW_METRICSD_SCRAPE_H
#define GW_METRICSD_SCRAPE_H

#include "exposition.h"
#include "facts.h"

// Writes all families, from what merge_read has read last. now_ms: clock_mono_ms.
void scrape_write(const struct facts *facts, uint64_t now_ms, enum exposition_format format,
                  struct buf *out);

#endif
