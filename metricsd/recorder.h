// What is remembered each second: the windows' snapshots and the history. No I/O; times are
// parameters.
#ifndef GW_METRICSD_RECORDER_H
#define GW_METRICSD_RECORDER_H

#include <stdbool.h>

#include "facts.h"
#include "totals.h"

enum { RECORDER_UPSTREAMS = 24 };

struct recorder {
    const struct facts *facts; // borrowed
    bool has_before;           // the rest says what the last step saw
    uint64_t before_ms;
    struct totals before;
    struct {
        const char *name;
        uint64_t requests;
    } upstreams[RECORDER_UPSTREAMS];
    size_t upstream_count;
};

void recorder_init(struct recorder *recorder, const struct facts *facts);

// From what merge_read has read last. mono_ms: clock_mono_ms; wall_s: seconds since 1970.
void recorder_step(struct recorder *recorder, uint64_t mono_ms, uint64_t wall_s);

#endif
