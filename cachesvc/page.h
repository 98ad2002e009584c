// The cache segment as its writer sees it: pointers into a mapped page. Its layout and the rules of
// reading are common/segment.h's.
#ifndef GW_CACHESVC_PAGE_H
#define GW_CACHESVC_PAGE_H

#include <string.h>

#include "common/segment.h"

struct page {
    char *base;
    struct segment_header *header;
    _Atomic uint32_t *generations; // of tags
    struct segment_bucket *buckets;
};

static inline struct page page_of(void *base)
{
    struct segment_header *header = base;
    char *bytes = base;
    return (struct page){
        bytes, header, (_Atomic uint32_t *)(bytes + (size_t)header->tags_at * SEGMENT_UNIT),
        (struct segment_bucket *)(bytes + (size_t)header->buckets_at * SEGMENT_UNIT)};
}

static inline void *page_at(const struct page *page, segment_ref ref)
{
    return page->base + (size_t)ref * SEGMENT_UNIT;
}

static inline struct segment_item *page_item(const struct page *page, segment_ref ref)
{
    return page_at(page, ref);
}

static inline struct segment_chunk *page_chunk(const struct page *page, segment_ref ref)
{
    return page_at(page, ref);
}

static inline struct segment_tag *item_tags(const struct segment_item *item)
{
    return (struct segment_tag *)(item + 1);
}

static inline char *item_key(const struct segment_item *item)
{
    return (char *)(item_tags(item) + item->tag_count);
}

static inline char *item_value(const struct segment_item *item)
{
    return item_key(item) + item->key_length;
}

static inline size_t extent_bytes(const struct segment_extent *extent)
{
    return (size_t)(extent->size & EXTENT_SIZE) * SEGMENT_UNIT;
}

// --- large values: where the item's own part is, and the next one ---

static inline segment_ref item_first_chunk(const struct segment_item *item)
{
    segment_ref ref = 0;
    if (item->bits & ITEM_LARGE)
        memcpy(&ref, item_value(item), sizeof ref);
    return ref;
}

static inline char *item_first_bytes(const struct segment_item *item)
{
    return item_value(item) + (item->bits & ITEM_LARGE ? sizeof(segment_ref) : 0);
}

// How much of the value stands in the item's own extent.
static inline size_t item_first_room(const struct segment_item *item)
{
    const char *end_of_item = (const char *)item + extent_bytes(&item->extent);
    return (size_t)(end_of_item - item_first_bytes(item));
}

// What is written before it is in the page before what is written after it, should the process be
// killed in between. (Nothing more is needed for that: a dead process' stores are all there.)
static inline void page_order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

// --- buckets: between lock and unlock readers take nothing from one ---

static inline segment_ref bucket_first(const struct segment_bucket *bucket)
{
    return atomic_load_explicit(&bucket->head, memory_order_relaxed);
}

static inline void bucket_lock(struct segment_bucket *bucket)
{
    uint32_t version = atomic_load_explicit(&bucket->version, memory_order_relaxed);
    atomic_store_explicit(&bucket->version, version + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static inline void bucket_unlock(struct segment_bucket *bucket)
{
    uint32_t version = atomic_load_explicit(&bucket->version, memory_order_relaxed);
    atomic_store_explicit(&bucket->version, version + 1, memory_order_release);
    page_order();
}

#endif
