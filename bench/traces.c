// Zipf's law by its cumulative distribution: exact, and slow only in the beginning. Rank is key:
// none of the caches sees an order in keys.

#include "traces.h"

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

enum {
    SEED = 20231023,
    SCAN_LENGTH = TRACE_KEYS / 2,
    PHASES = 10 // of the working set that shifts
};

// --- random numbers -----------------------------------------------------------------------------

static double random_unit(uint64_t *state)
{
    uint64_t bits = *state += UINT64_C(0x9e3779b97f4a7c15);
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((bits ^ bits >> 31) >> 11) / (double)(UINT64_C(1) << 53);
}

static double *zipf_new(double exponent)
{
    double *up_to = mem_zalloc(TRACE_KEYS, sizeof *up_to);
    double sum = 0;
    for (size_t i = 0; i < TRACE_KEYS; i++)
        up_to[i] = sum += pow((double)(i + 1), -exponent);
    for (size_t i = 0; i < TRACE_KEYS; i++)
        up_to[i] /= sum;
    return up_to;
}

static uint32_t zipf_rank(const double *up_to, double unit)
{
    uint32_t low = 0, high = TRACE_KEYS - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (up_to[middle] < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// --- traces -------------------------------------------------------------------------------------

static void fill_zipf(const struct trace *trace, uint32_t *keys, size_t capacity)
{
    double *up_to = zipf_new(trace->exponent);
    uint64_t state = SEED;
    (void)capacity;
    for (size_t i = 0; i < TRACE_LENGTH; i++)
        keys[i] = zipf_rank(up_to, random_unit(&state));
    free(up_to);
}

// In the middle somebody reads many keys once that nobody reads otherwise.
static void fill_scan(const struct trace *trace, uint32_t *keys, size_t capacity)
{
    fill_zipf(trace, keys, capacity);
    for (uint32_t i = 0; i < SCAN_LENGTH; i++)
        keys[(TRACE_LENGTH - SCAN_LENGTH) / 2 + i] = TRACE_KEYS + i;
}

// Slightly more than the cache holds, in turn.
static void fill_loop(const struct trace *trace, uint32_t *keys, size_t capacity)
{
    uint32_t length = (uint32_t)(capacity + capacity / 10);
    (void)trace;
    for (uint32_t i = 0; i < TRACE_LENGTH; i++)
        keys[i] = i % length;
}

// What is popular changes at once, several times.
static void fill_shifting(const struct trace *trace, uint32_t *keys, size_t capacity)
{
    fill_zipf(trace, keys, capacity);
    for (uint32_t i = 0; i < TRACE_LENGTH; i++) {
        uint32_t phase = i / (TRACE_LENGTH / PHASES);
        keys[i] = (keys[i] + phase * (TRACE_KEYS / PHASES)) % TRACE_KEYS;
    }
}

const struct trace traces[] = {
    {"Zipf 0.7", fill_zipf, 0.7},
    {"Zipf 0.9", fill_zipf, 0.9},
    {"Zipf 1.1", fill_zipf, 1.1},
    {"Zipf 0.9, a scan in the middle", fill_scan, 0.9},
    {"loop of 1.1 times the cache", fill_loop, 0},
    {"Zipf 0.9, shifting", fill_shifting, 0.9},
    {NULL, NULL, 0},
};
