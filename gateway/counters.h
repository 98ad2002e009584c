// The gauges of the worker's column of the state page. The worker is the only writer of its column,
// so a load and a store do: no locked instruction in the path of a request.
#ifndef GW_GATEWAY_COUNTERS_H
#define GW_GATEWAY_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

static inline void gauge_up(_Atomic uint32_t *gauge)
{
    uint32_t value = atomic_load_explicit(gauge, memory_order_relaxed);
    atomic_store_explicit(gauge, value + 1, memory_order_relaxed);
}

static inline void gauge_down(_Atomic uint32_t *gauge)
{
    uint32_t value = atomic_load_explicit(gauge, memory_order_relaxed);
    if (value > 0)
        atomic_store_explicit(gauge, value - 1, memory_order_relaxed);
}

#endif
