// Sequences of keys to try a cache with, the same in every run.
#ifndef GW_BENCH_TRACES_H
#define GW_BENCH_TRACES_H

#include <stddef.h>
#include <stdint.h>

enum { TRACE_KEYS = 200000, TRACE_LENGTH = 2000000 };

struct trace {
    const char *name;
    // Fills `keys` with TRACE_LENGTH numbers below 2 * TRACE_KEYS. `capacity` is how many keys the
    // cache holds.
    void (*fill)(const struct trace *trace, uint32_t *keys, size_t capacity);
    double exponent; // of Zipf's law, where it has one
};

extern const struct trace traces[]; // the last one has no name

#endif
