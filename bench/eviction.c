// Hit ratios of the store, S3-FIFO with all that surrounds it, beside models of other policies, on
// the same traces. Prints lines of tab-separated fields, the first one their names.
//
// All values are of one size, and the page is as large as the wanted number of them needs: so the
// store holds exactly as many keys as the models may.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/mem.h"
#include "policies.h"
#include "store.h"
#include "traces.h"

enum { VALUE_SIZE = 512 };

static const uint64_t now_ms = UINT64_C(1700000000000);
static const char value_bytes[VALUE_SIZE];

// --- the store ----------------------------------------------------------------------------------

struct cache {
    struct store *store;
    void *base;
    uint64_t size;
};

static void fail(const char *what)
{
    fprintf(stderr, "eviction: %s\n", what);
    exit(1);
}

static void cache_open(struct cache *cache, uint64_t size)
{
    struct err err;
    cache->size = size;
    cache->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (cache->base == MAP_FAILED)
        fail("no memory");
    cache->store = store_open(cache->base, size, now_ms, &err);
    if (!cache->store)
        fail(err.text);
}

static void cache_close(struct cache *cache)
{
    store_close(cache->store);
    munmap(cache->base, cache->size);
}

// The smallest page with room for that many.
static void cache_open_for(struct cache *cache, size_t capacity)
{
    uint64_t item = segment_item_units(sizeof(uint32_t), 0, VALUE_SIZE) * (uint64_t)SEGMENT_UNIT;
    for (uint64_t size = capacity * item / SEGMENT_UNIT * SEGMENT_UNIT;; size += item) {
        struct store_stats stats;
        cache_open(cache, size);
        store_stats(cache->store, &stats);
        if ((stats.memory - stats.used) / item >= capacity)
            return;
        cache_close(cache);
    }
}

static bool cache_access(struct cache *cache, uint32_t key)
{
    struct store_value value;
    struct err err;
    struct store_set set = {.key = (const char *)&key,
                            .key_length = sizeof key,
                            .value = value_bytes,
                            .length = VALUE_SIZE};
    if (store_get(cache->store, set.key, set.key_length, now_ms, &value))
        return true;
    if (store_set(cache->store, &set, now_ms, &err) != 0)
        fail(err.text);
    return false;
}

static double store_ratio(const uint32_t *keys, size_t capacity)
{
    struct cache cache;
    struct store_stats stats;
    size_t hits = 0;
    cache_open_for(&cache, capacity);
    for (size_t i = 0; i < TRACE_LENGTH; i++)
        hits += cache_access(&cache, keys[i]);
    store_stats(cache.store, &stats);
    if (stats.keys != capacity)
        fail("the store does not hold as many keys as the models");
    cache_close(&cache);
    return (double)hits / TRACE_LENGTH;
}

// --- all of them --------------------------------------------------------------------------------

static double model_ratio(const struct policy *policy, const uint32_t *keys, size_t capacity)
{
    struct model *model = model_new(capacity, 2 * TRACE_KEYS);
    size_t hits = 0;
    for (size_t i = 0; i < TRACE_LENGTH; i++)
        hits += policy->access(model, keys[i]);
    model_free(model);
    return (double)hits / TRACE_LENGTH;
}

static void run(const struct trace *trace, unsigned percent, uint32_t *keys)
{
    size_t capacity = (size_t)TRACE_KEYS * percent / 100;
    trace->fill(trace, keys, capacity);
    printf("%s\t%u %%\t%.4f", trace->name, percent, store_ratio(keys, capacity));
    for (const struct policy *policy = policies; policy->name; policy++)
        printf("\t%.4f", model_ratio(policy, keys, capacity));
    printf("\n");
    fflush(stdout);
}

int main(void)
{
    uint32_t *keys = mem_zalloc(TRACE_LENGTH, sizeof *keys);
    printf("trace\tcache\tS3-FIFO (ours)");
    for (const struct policy *policy = policies; policy->name; policy++)
        printf("\t%s", policy->name);
    printf("\n");
    for (const struct trace *trace = traces; trace->name; trace++) {
        run(trace, 1, keys);
        run(trace, 10, keys);
    }
    free(keys);
    return 0;
}
