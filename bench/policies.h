// Models of ways to evict, to compare the store's with: keys are small numbers, all items are of
// one size, and nothing is stored.
#ifndef GW_BENCH_POLICIES_H
#define GW_BENCH_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;

struct policy {
    const char *name;
    // Looks a key up, and puts it into the cache if it is not there. Whether it was.
    bool (*access)(struct model *model, uint32_t key);
};

extern const struct policy policies[]; // the last one has no name

// An empty cache for any of them: `capacity` keys, all of them below key_count.
struct model *model_new(size_t capacity, uint32_t key_count);
void model_free(struct model *model);

#endif
