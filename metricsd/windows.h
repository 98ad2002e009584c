// What was counted in the last minutes: snapshots of the totals every five seconds, for a quarter
// of an hour. They lie in memory that outlives metricsd, and so does the answer to "how fast were
// the last 60 seconds?". Pure over that memory; time is a parameter (clock_mono_ms, which all
// processes of a machine share).
#ifndef GW_METRICSD_WINDOWS_H
#define GW_METRICSD_WINDOWS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "totals.h"

enum {
    WINDOWS_STEP_MS = 5000,
    WINDOWS_SNAPSHOTS = 184, // a quarter of an hour, and what is needed at its ends
};

struct window_snapshot {
    _Atomic uint64_t mono_ms; // 0: none, or not whole
    uint64_t requests, errors;
    uint64_t duration[HISTOGRAM_BUCKETS];
};

// Zero-initialise.
struct windows {
    _Atomic uint64_t taken; // the newest is at [(taken - 1) % WINDOWS_SNAPSHOTS]
    struct window_snapshot snapshot[WINDOWS_SNAPSHOTS];
};

// A stretch of time that ends now.
struct window {
    uint64_t length_ms;
    uint64_t requests, errors; // 5xx
    uint64_t duration[HISTOGRAM_BUCKETS];
};

// Takes a snapshot when the last one is old enough. Killed in between, no half one is left.
void windows_take(struct windows *windows, const struct totals *totals, uint64_t now_ms);

// The last `length_ms`, to within a step. Shorter when nobody has watched for so long: time in
// which no snapshots were taken is never part of it.
void windows_read(const struct windows *windows, const struct totals *totals, uint64_t now_ms,
                  uint64_t length_ms, struct window *window);

#endif
