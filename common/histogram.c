// Buckets by the first two digits of a duration.

#include "common/histogram.h"

enum {
    LINEAR = 100,                        // buckets of 1 µs each
    A_TEN = 90,                          // buckets of each power of ten above them
    LAST = HISTOGRAM_BUCKETS - 1,        // has no upper bound
    POWERS = (LAST - LINEAR) / A_TEN + 1 // of ten, the linear ones being the first
};

static const uint64_t bounds_us[HISTOGRAM_BOUNDS] = {1000,    2500,    5000,     10000,     25000,
                                                     50000,   100000,  250000,   500000,    1000000,
                                                     2500000, 5000000, 10000000, UINT64_MAX};

static const uint64_t steps[POWERS] = {1, 10, 100, 1000, 10000, 100000, 1000000};

unsigned histogram_bucket(uint64_t us)
{
    uint64_t below = us > 0 ? us - 1 : 0; // a bound belongs to the bucket under it
    for (unsigned power = 0; power < POWERS; power++)
        if (below < steps[power] * LINEAR)
            return (unsigned)(below / steps[power]) + power * A_TEN;
    return LAST;
}

uint64_t histogram_upper_us(unsigned bucket)
{
    if (bucket >= LAST)
        return UINT64_MAX;
    if (bucket < LINEAR)
        return bucket + 1;
    unsigned power = (bucket - LINEAR) / A_TEN + 1;
    return (bucket - power * A_TEN + 1) * steps[power];
}

uint64_t histogram_lower_us(unsigned bucket)
{
    return bucket == 0 ? 0 : histogram_upper_us(bucket - 1);
}

unsigned histogram_bound(uint64_t us)
{
    unsigned bound = 0;
    while (us > bounds_us[bound])
        bound++;
    return bound;
}

uint64_t histogram_bound_us(unsigned bound)
{
    return bounds_us[bound];
}

uint64_t histogram_count(const uint64_t counts[HISTOGRAM_BUCKETS])
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum += counts[i];
    return sum;
}

double histogram_quantile_us(const uint64_t counts[HISTOGRAM_BUCKETS], double share)
{
    double wanted = share * (double)histogram_count(counts), before = 0;
    for (unsigned i = 0; i < LAST; i++) {
        double inside = (double)counts[i];
        if (inside > 0 && before + inside >= wanted) {
            double lower = (double)histogram_lower_us(i), upper = (double)histogram_upper_us(i);
            return lower + (upper - lower) * (wanted - before) / inside;
        }
        before += inside;
    }
    return counts[LAST] > 0 ? (double)histogram_lower_us(LAST) : 0;
}
