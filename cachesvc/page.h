// The cache segment as its writer sees it: pointers into a mapped page. Its layout and the rules of
// reading are common/segment.h's.
#ifndef GW_CACHESVC_PAGE_H
#define GW_CACHESVC_PAGE_H

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

// What is written before it is in the page before what is written after it, should the process be
// killed in between. (Nothing more is needed for that: a dead process' stores are all there.)
static inline void page_order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

#endif
