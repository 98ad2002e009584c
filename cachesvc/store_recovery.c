// After a writer that died in the middle of a change: whatever the buckets reach and that is whole
// is kept, and everything else is made anew from it. And what it means that a page is sound.
//
// Nothing the page says is believed before it was checked: what is followed lies inside the heap,
// in an extent that is used and that nothing else reached.

#include "store_recovery.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "store_item.h"
#include "wheel.h"

// --- what is kept -------------------------------------------------------------------------------

// Which extents the buckets reach: a bit each, by unit.
struct reached {
    struct store *store;
    uint64_t *bits;
};

static bool is_reached(void *context, segment_ref ref)
{
    const struct reached *reached = context;
    return reached->bits[ref / 64] >> (ref % 64) & 1;
}

// false: it was reached before, or is no extent.
static bool reach(struct reached *reached, segment_ref ref, size_t least)
{
    const struct segment_header *header = reached->store->page.header;
    if (ref < header->heap_at || ref >= header->heap_end || is_reached(reached, ref))
        return false;
    const struct segment_extent *extent = page_at(&reached->store->page, ref);
    if (!(extent->size & EXTENT_USED) || extent_bytes(extent) < least ||
        (extent->size & EXTENT_SIZE) > header->heap_end - ref)
        return false;
    reached->bits[ref / 64] |= UINT64_C(1) << (ref % 64);
    return true;
}

static bool reach_value(struct reached *reached, const struct segment_item *item)
{
    size_t room = item_first_room(item), left = item->value_length;
    if (!(item->bits & ITEM_LARGE))
        return left <= room;
    left -= room < left ? room : left;
    for (segment_ref ref = item_first_chunk(item); left > 0;) {
        if (!reach(reached, ref, sizeof(struct segment_chunk)))
            return false;
        const struct segment_chunk *chunk = page_chunk(&reached->store->page, ref);
        if (chunk->length == 0 || chunk->length > left ||
            chunk->length > extent_bytes(&chunk->extent) - sizeof *chunk)
            return false;
        left -= chunk->length;
        ref = chunk->next;
    }
    return true;
}

static bool reach_item(struct reached *reached, segment_ref ref)
{
    if (!reach(reached, ref, sizeof(struct segment_item)))
        return false;
    const struct segment_item *item = page_item(&reached->store->page, ref);
    size_t least = sizeof *item + item->tag_count * sizeof(struct segment_tag) + item->key_length +
                   (item->bits & ITEM_LARGE ? sizeof(segment_ref) : 0);
    return extent_bytes(&item->extent) >= least && reach_value(reached, item);
}

// An item that was replaced may still stand behind the one that did.
static bool is_replaced(const struct store *store, segment_ref first, segment_ref ref)
{
    const struct segment_item *item = page_item(&store->page, ref);
    struct store_place place = store_item_place_of(store, item);
    for (; first != ref; first = page_item(&store->page, first)->next) {
        if (store_item_is(page_item(&store->page, first), &place))
            return true;
    }
    return false;
}

static void recover_bucket(struct reached *reached, struct segment_bucket *bucket)
{
    struct store *store = reached->store;
    segment_ref ref = bucket_first(bucket), last = 0;
    // In the one that was being changed a value may be half written over: it loses all it has.
    if (atomic_load_explicit(&bucket->version, memory_order_relaxed) % 2 != 0)
        ref = 0;
    else
        bucket_lock(bucket);
    atomic_store_explicit(&bucket->head, 0, memory_order_relaxed);
    while (ref && reach_item(reached, ref)) {
        segment_ref next = page_item(&store->page, ref)->next;
        if (last)
            page_item(&store->page, last)->next = ref;
        else
            atomic_store_explicit(&bucket->head, ref, memory_order_relaxed);
        page_item(&store->page, ref)->next = 0;
        if (is_replaced(store, bucket_first(bucket), ref)) {
            if (last)
                page_item(&store->page, last)->next = 0;
            reached->bits[ref / 64] &= ~(UINT64_C(1) << (ref % 64));
        } else {
            last = ref;
        }
        ref = next;
    }
    bucket_unlock(bucket);
}

// --- what is made anew --------------------------------------------------------------------------

static void requeue(struct store *store, segment_ref ref)
{
    struct segment_item *item = page_item(&store->page, ref);
    item->bits &= (uint8_t)~ITEM_QUEUE;
    store_item_enter(store, ref);
}

static void requeue_all(struct store *store)
{
    for (uint64_t i = 0; i <= store->page.header->bucket_mask; i++) {
        segment_ref ref = bucket_first(&store->page.buckets[i]);
        for (; ref; ref = page_item(&store->page, ref)->next)
            requeue(store, ref);
    }
}

int store_recover(struct store *store, uint64_t now_ms, struct err *err)
{
    struct segment_header *header = store->page.header;
    struct reached reached = {store, mem_zalloc(header->heap_end / 64 + 1, sizeof(uint64_t))};
    memset(header->queue, 0, sizeof header->queue);
    header->items = header->item_bytes = 0;
    wheel_format(&store->page, now_ms);
    for (uint64_t i = 0; i <= header->bucket_mask; i++)
        recover_bucket(&reached, &store->page.buckets[i]);
    int result = heap_rebuild(&store->heap, &store->page, is_reached, &reached);
    free(reached.bits);
    if (result == -1)
        return err_set(err, "the heap of the cache page is damaged");
    requeue_all(store);
    store_end(store);
    return 0;
}

// --- for tests ----------------------------------------------------------------------------------

static bool queues_hold(const struct store *store, uint64_t items)
{
    uint64_t queued = 0;
    for (unsigned queue = SEGMENT_SMALL; queue < SEGMENT_QUEUES; queue++) {
        uint64_t bytes = 0;
        segment_ref newer = 0, ref = store->page.header->queue[queue].newest;
        for (; ref; newer = ref, ref = page_item(&store->page, ref)->queue_older, queued++) {
            const struct segment_item *item = page_item(&store->page, ref);
            if ((item->bits & ITEM_QUEUE) != queue || item->queue_newer != newer)
                return false;
            bytes += extent_bytes(&item->extent);
        }
        if (store->page.header->queue[queue].oldest != newer ||
            store->page.header->queue[queue].bytes != bytes)
            return false;
    }
    return queued == items;
}

static uint64_t count_timed(const struct store *store)
{
    uint64_t timed = 0;
    for (size_t slot = 0; slot < SEGMENT_WHEEL_LEVELS * SEGMENT_WHEEL_SLOTS; slot++) {
        for (segment_ref ref = store->page.header->wheel[slot]; ref;
             ref = page_item(&store->page, ref)->wheel_after)
            timed++;
    }
    return timed;
}

bool store_is_sound(const struct store *store)
{
    uint64_t all = 0, current = 0, bytes = 0, timed = 0;
    for (uint64_t i = 0; i <= store->page.header->bucket_mask; i++) {
        if (atomic_load(&store->page.buckets[i].version) % 2 != 0)
            return false;
        for (segment_ref ref = bucket_first(&store->page.buckets[i]); ref;
             ref = page_item(&store->page, ref)->next) {
            const struct segment_item *item = page_item(&store->page, ref);
            all++;
            timed += item->expires_ms != 0;
            current += store_item_is_current(store, item);
            bytes += store_item_is_current(store, item) ? store_item_memory(store, item) : 0;
            if (store_item_place_of(store, item).bucket != &store->page.buckets[i])
                return false;
        }
    }
    return store->page.header->busy % 2 == 0 && current == store->page.header->items &&
           bytes == store->page.header->item_bytes && queues_hold(store, all) &&
           count_timed(store) == timed && heap_is_sound(&store->heap);
}
