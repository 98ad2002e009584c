// How long things take, in buckets of fixed bounds: log-linear by tens, so that 1 ms, 2.5 ms or 10
// s are bounds, and what lies below one of them can be counted exactly.
//
//   bucket        0 ..  99 : (0, 1], (1, 2], ... (99, 100] µs; 0 µs counts as 1
//   then 90 each for       : (100, 110] ... (990, 1000] µs, (1, 1.1] ms ... up to (99, 100] s
//   the last one           : all above 100 s
//
// A bucket is at most a tenth of its bound wide, so a quantile is off by 5 % at most. Bounds are
// inclusive above, as Prometheus' `le` is. Pure.
#ifndef GW_COMMON_HISTOGRAM_H
#define GW_COMMON_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 100 + 6 * 90 + 1 };

// The few bounds that Prometheus is told (`le`): 1 ms, 2.5 ms, 5 ms and so on to 10 s, and none.
enum { HISTOGRAM_BOUNDS = 14 };

unsigned histogram_bucket(uint64_t us);

// The bounds of a bucket: above `lower`, up to and with `upper`. UINT64_MAX: no bound.
uint64_t histogram_lower_us(unsigned bucket);
uint64_t histogram_upper_us(unsigned bucket);

// Which of the bounds is the first that a duration does not exceed, and what it is. UINT64_MAX: the
// last, which is none.
unsigned histogram_bound(uint64_t us);
uint64_t histogram_bound_us(unsigned bound);

// All that was counted.
uint64_t histogram_count(const uint64_t counts[HISTOGRAM_BUCKETS]);

// What a share of the counted is at most, 0 < share <= 1, in µs: 0.95 of them took no longer. Taken
// to be spread evenly within a bucket. 0 when nothing was counted; what lies in the last bucket
// counts as 100 s.
double histogram_quantile_us(const uint64_t counts[HISTOGRAM_BUCKETS], double share);

#endif
