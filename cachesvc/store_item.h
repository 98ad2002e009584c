// Items of the store: found in their buckets, built, linked, taken out. Private to the store's
// files.
//
// Whatever changes something here is called between store_begin and store_end.
#ifndef GW_CACHESVC_STORE_ITEM_H
#define GW_CACHESVC_STORE_ITEM_H

#include "eviction.h"
#include "heap.h"
#include "page.h"
#include "store.h"

struct store {
    struct page page;
    struct heap heap;
    struct eviction *eviction;
    uint64_t now_ms; // of the change that is being made
    uint64_t hits, misses, evicted, expired;
};

// `busy` is odd in between: the structures of the page may not fit each other.
static inline void store_begin(struct store *store)
{
    store->page.header->busy++;
    page_order();
}

static inline void store_end(struct store *store)
{
    page_order();
    store->page.header->busy++;
}

// A key and where it belongs. The key is borrowed.
struct store_place {
    const char *key;
    size_t length;
    struct segment_bucket *bucket;
    uint32_t hash;
};

struct store_place store_item_place(const struct store *store, const char *key, size_t length);
struct store_place store_item_place_of(const struct store *store, const struct segment_item *item);

// The same of a key of which only the hash is known.
struct store_place store_item_place_of_hash(const struct store *store, uint64_t hash);

// Whether it has the place's key.
bool store_item_is(const struct segment_item *item, const struct store_place *place);

// The item with the place's key, gone or not; 0: there is none.
segment_ref store_item_find(const struct store *store, const struct store_place *place);

// Whether it was stored since the last flush; and neither expired nor purged either.
bool store_item_is_current(const struct store *store, const struct segment_item *item);
bool store_item_is_live(const struct store *store, const struct segment_item *item,
                        uint64_t now_ms);

// The bytes of all its extents.
size_t store_item_memory(const struct store *store, const struct segment_item *item);

// A complete item that is linked nowhere; others go for it. 0: there is no room at all.
segment_ref store_item_build(struct store *store, const struct store_set *set);

// Puts an item that was built into its bucket, in place of the one with its key, and then into
// queue, wheel and sums.
void store_item_link(struct store *store, const struct store_place *place, segment_ref ref);

// The second half of it alone.
void store_item_enter(struct store *store, segment_ref ref);

// Takes an item out of everything and gives its memory back.
void store_item_remove(struct store *store, struct segment_bucket *bucket, segment_ref ref);

#endif
