// An item's life: built in one extent, or in pieces when no extent is large enough; linked;
// unlinked and released.
//
// The invariant: it is linked with one store when it is complete, and unlinked with one before its
// memory is given back. So the buckets hold at every moment, but for one that is locked.

#include "store_item.h"

#include <string.h>

#include "wheel.h"

enum { CHUNK_OVER = 512 }; // a smaller value is never in pieces

// --- finding ------------------------------------------------------------------------------------

struct store_place store_item_place_of_hash(const struct store *store, uint64_t hash)
{
    return (struct store_place){NULL, 0,
                                &store->page.buckets[hash & store->page.header->bucket_mask],
                                (uint32_t)(hash >> 32)};
}

struct store_place store_item_place(const struct store *store, const char *key, size_t length)
{
    struct store_place place = store_item_place_of_hash(store, segment_hash(key, length));
    place.key = key;
    place.length = length;
    return place;
}

struct store_place store_item_place_of(const struct store *store, const struct segment_item *item)
{
    return store_item_place(store, item_key(item), item->key_length);
}

bool store_item_is(const struct segment_item *item, const struct store_place *place)
{
    return item->hash == place->hash && item->key_length == place->length &&
           memcmp(item_key(item), place->key, place->length) == 0;
}

segment_ref store_item_find(const struct store *store, const struct store_place *place)
{
    segment_ref ref = bucket_first(place->bucket);
    while (ref && !store_item_is(page_item(&store->page, ref), place))
        ref = page_item(&store->page, ref)->next;
    return ref;
}

bool store_item_is_current(const struct store *store, const struct segment_item *item)
{
    return item->generation ==
           atomic_load_explicit(&store->page.header->generation, memory_order_relaxed);
}

bool store_item_is_live(const struct store *store, const struct segment_item *item, uint64_t now_ms)
{
    const struct segment_tag *tags = item_tags(item);
    if (!store_item_is_current(store, item) ||
        (item->expires_ms != 0 && item->expires_ms <= now_ms))
        return false;
    for (size_t i = 0; i < item->tag_count; i++) {
        if (atomic_load_explicit(&store->page.generations[tags[i].slot], memory_order_relaxed) !=
            tags[i].generation)
            return false;
    }
    return true;
}

// --- memory -------------------------------------------------------------------------------------

size_t store_item_memory(const struct store *store, const struct segment_item *item)
{
    size_t bytes = extent_bytes(&item->extent);
    for (segment_ref ref = item_first_chunk(item); ref; ref = page_chunk(&store->page, ref)->next)
        bytes += extent_bytes(&page_chunk(&store->page, ref)->extent);
    return bytes;
}

static void give_chunks(struct store *store, segment_ref ref)
{
    while (ref) {
        segment_ref next = page_chunk(&store->page, ref)->next;
        heap_give(&store->heap, ref);
        ref = next;
    }
}

// --- buckets ------------------------------------------------------------------------------------

static void count(struct store *store, const struct segment_item *item, int sign)
{
    struct segment_header *header = store->page.header;
    if (!store_item_is_current(store, item))
        return; // was taken off when everything was
    header->items += (uint64_t)(int64_t)sign;
    header->item_bytes += (uint64_t)((int64_t)store_item_memory(store, item) * sign);
}

static void unlink_from(const struct store *store, struct segment_bucket *bucket, segment_ref ref)
{
    segment_ref next = page_item(&store->page, ref)->next;
    segment_ref before = bucket_first(bucket);
    if (before == ref) {
        atomic_store_explicit(&bucket->head, next, memory_order_relaxed);
        return;
    }
    while (page_item(&store->page, before)->next != ref)
        before = page_item(&store->page, before)->next;
    page_item(&store->page, before)->next = next;
}

void store_item_enter(struct store *store, segment_ref ref)
{
    struct segment_item *item = page_item(&store->page, ref);
    eviction_add(store->eviction, ref);
    if (item->expires_ms)
        wheel_add(&store->page, ref);
    count(store, item, 1);
}

// The item is in no bucket any more.
static void release(struct store *store, segment_ref ref)
{
    struct segment_item *item = page_item(&store->page, ref);
    segment_ref chunks = item_first_chunk(item);
    count(store, item, -1);
    eviction_remove(store->eviction, ref);
    wheel_remove(&store->page, ref);
    heap_give(&store->heap, ref);
    give_chunks(store, chunks);
}

void store_item_remove(struct store *store, struct segment_bucket *bucket, segment_ref ref)
{
    bucket_lock(bucket);
    unlink_from(store, bucket, ref);
    bucket_unlock(bucket);
    release(store, ref);
}

void store_item_link(struct store *store, const struct store_place *place, segment_ref ref)
{
    segment_ref old = store_item_find(store, place); // looked for now: building may have evicted it
    struct segment_item *item = page_item(&store->page, ref);
    item->next = bucket_first(place->bucket);
    page_order();
    bucket_lock(place->bucket);
    atomic_store_explicit(&place->bucket->head, ref, memory_order_relaxed);
    if (old)
        unlink_from(store, place->bucket, old);
    bucket_unlock(place->bucket);
    if (old)
        release(store, old);
    store_item_enter(store, ref);
}

// --- room ---------------------------------------------------------------------------------------

static bool evict_one(struct store *store)
{
    segment_ref ref = eviction_victim(store->eviction);
    if (!ref)
        return false;
    const struct segment_item *item = page_item(&store->page, ref);
    struct store_place place = store_item_place_of(store, item);
    if (store_item_is_live(store, item, store->now_ms)) {
        eviction_remember(store->eviction, ref);
        store->evicted++;
    }
    store_item_remove(store, place.bucket, ref);
    return true;
}

static bool pieces_suffice(const struct store *store, size_t bytes)
{
    // Each piece loses its header and some rounding.
    uint64_t overhead = sizeof(struct segment_chunk) + SEGMENT_UNIT;
    uint64_t free_bytes = store->heap.piece_units * SEGMENT_UNIT;
    uint64_t pieces = free_bytes / (HEAP_PIECE_UNITS * SEGMENT_UNIT) + 1;
    return free_bytes > bytes + pieces * overhead / 4 + overhead * 4;
}

// Further extents for `left` bytes at `from`, written and chained. 0 with nothing taken: no room.
static segment_ref write_chunks(struct store *store, const char *from, size_t left)
{
    segment_ref first = 0, last = 0;
    while (left > 0) {
        size_t units = (sizeof(struct segment_chunk) + left + SEGMENT_UNIT - 1) / SEGMENT_UNIT;
        segment_ref ref = heap_take_piece(&store->heap, (uint32_t)units);
        if (!ref) {
            give_chunks(store, first);
            return 0;
        }
        struct segment_chunk *chunk = page_chunk(&store->page, ref);
        size_t room = extent_bytes(&chunk->extent) - sizeof *chunk;
        chunk->next = 0;
        chunk->length = (uint32_t)(room < left ? room : left);
        memcpy(chunk + 1, from, chunk->length);
        from += chunk->length;
        left -= chunk->length;
        if (last)
            page_chunk(&store->page, last)->next = ref;
        else
            first = ref;
        last = ref;
    }
    return first;
}

static void fill(struct store *store, segment_ref ref, const struct store_set *set, uint8_t bits)
{
    struct segment_item *item = page_item(&store->page, ref);
    item->next = 0;
    item->generation = atomic_load_explicit(&store->page.header->generation, memory_order_relaxed);
    item->expires_ms = set->expires_ms;
    item->value_length = (uint32_t)set->length;
    item->key_length = (uint16_t)set->key_length;
    item->tag_count = (uint8_t)set->tag_count;
    item->bits = bits;
    item->hash = (uint32_t)(segment_hash(set->key, set->key_length) >> 32);
    if (set->tag_count > 0)
        memcpy(item_tags(item), set->tags, set->tag_count * sizeof *set->tags);
    memcpy(item_key(item), set->key, set->key_length);
}

static segment_ref build_whole(struct store *store, const struct store_set *set, uint32_t units)
{
    segment_ref ref = heap_take(&store->heap, units);
    if (!ref)
        return 0;
    fill(store, ref, set, 0);
    memcpy(item_value(page_item(&store->page, ref)), set->value, set->length);
    return ref;
}

static segment_ref build_in_pieces(struct store *store, const struct store_set *set, uint32_t units)
{
    uint32_t least = segment_item_units(set->key_length, set->tag_count, sizeof(segment_ref));
    if (!pieces_suffice(store, set->length + least * SEGMENT_UNIT))
        return 0;
    segment_ref ref = heap_take_piece(&store->heap, units);
    if (ref && (page_item(&store->page, ref)->extent.size & EXTENT_SIZE) < least) {
        heap_give(&store->heap, ref);
        return 0;
    }
    if (!ref)
        return 0;
    fill(store, ref, set, ITEM_LARGE);
    struct segment_item *item = page_item(&store->page, ref);
    size_t here = item_first_room(item);
    if (here > set->length)
        here = set->length;
    segment_ref chunks = write_chunks(store, set->value + here, set->length - here);
    if (!chunks && here < set->length) {
        heap_give(&store->heap, ref);
        return 0;
    }
    memcpy(item_value(item), &chunks, sizeof chunks);
    memcpy(item_first_bytes(item), set->value, here);
    return ref;
}

segment_ref store_item_build(struct store *store, const struct store_set *set)
{
    uint32_t units = segment_item_units(set->key_length, set->tag_count, set->length);
    bool in_pieces = (size_t)units * SEGMENT_UNIT >= CHUNK_OVER;
    segment_ref ref;
    do {
        ref = build_whole(store, set, units);
        if (!ref && in_pieces)
            ref = build_in_pieces(store, set, units + 1);
    } while (!ref && evict_one(store));
    return ref;
}
