// Items in buckets, over heap, eviction and wheel.
//
// The invariant: `busy` is odd while any of these structures may not fit the others. Who opens a
// page with an odd one rebuilds all of it from the buckets, which hold at every moment but in one
// that is locked: an item is linked with one store when it is complete, and unlinked with one
// before its memory is given back.

#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "eviction.h"
#include "heap.h"
#include "wheel.h"

enum {
    CHUNK_OVER = 512,  // a smaller value is never in pieces
    ITEM_SHARE = 8,    // no item is larger than this part of the heap
    EVICT_AHEAD = 1024 // how many may go for one item
};

struct store {
    struct page page;
    struct heap heap;
    struct eviction *eviction;
    uint64_t now_ms;
    uint64_t hits, misses, evicted, expired;
};

// A key and where it belongs.
struct place {
    const char *key;
    size_t length;
    struct segment_bucket *bucket;
    uint32_t hash;
};

// --- changes ------------------------------------------------------------------------------------

static void begin(struct store *store)
{
    store->page.header->busy++;
    page_order();
}

static void end(struct store *store)
{
    page_order();
    store->page.header->busy++;
}

static void lock(struct segment_bucket *bucket)
{
    uint32_t version = atomic_load_explicit(&bucket->version, memory_order_relaxed);
    atomic_store_explicit(&bucket->version, version + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void unlock(struct segment_bucket *bucket)
{
    uint32_t version = atomic_load_explicit(&bucket->version, memory_order_relaxed);
    atomic_store_explicit(&bucket->version, version + 1, memory_order_release);
    page_order();
}

// --- finding ------------------------------------------------------------------------------------

static struct place place_of_hash(const struct store *store, uint64_t hash)
{
    return (struct place){NULL, 0, &store->page.buckets[hash & store->page.header->bucket_mask],
                          (uint32_t)(hash >> 32)};
}

static struct place place_of(const struct store *store, const char *key, size_t length)
{
    struct place place = place_of_hash(store, segment_hash(key, length));
    place.key = key;
    place.length = length;
    return place;
}

static struct place place_of_item(const struct store *store, const struct segment_item *item)
{
    return place_of(store, item_key(item), item->key_length);
}

static segment_ref first_of(const struct segment_bucket *bucket)
{
    return atomic_load_explicit(&bucket->head, memory_order_relaxed);
}

static bool item_is(const struct segment_item *item, const struct place *place)
{
    return item->hash == place->hash && item->key_length == place->length &&
           memcmp(item_key(item), place->key, place->length) == 0;
}

static segment_ref find(const struct store *store, const struct place *place)
{
    segment_ref ref = first_of(place->bucket);
    while (ref && !item_is(page_item(&store->page, ref), place))
        ref = page_item(&store->page, ref)->next;
    return ref;
}

static bool is_current(const struct store *store, const struct segment_item *item)
{
    return item->generation ==
           atomic_load_explicit(&store->page.header->generation, memory_order_relaxed);
}

static bool is_live(const struct store *store, const struct segment_item *item, uint64_t now_ms)
{
    const struct segment_tag *tags = item_tags(item);
    if (!is_current(store, item) || (item->expires_ms != 0 && item->expires_ms <= now_ms))
        return false;
    for (size_t i = 0; i < item->tag_count; i++) {
        if (atomic_load_explicit(&store->page.generations[tags[i].slot], memory_order_relaxed) !=
            tags[i].generation)
            return false;
    }
    return true;
}

// --- pieces of a value --------------------------------------------------------------------------

static segment_ref first_chunk(const struct segment_item *item)
{
    segment_ref ref = 0;
    if (item->bits & ITEM_LARGE)
        memcpy(&ref, item_value(item), sizeof ref);
    return ref;
}

static char *first_bytes(const struct segment_item *item)
{
    return item_value(item) + (item->bits & ITEM_LARGE ? sizeof(segment_ref) : 0);
}

// How much of the value stands in the item's own extent.
static size_t first_room(const struct segment_item *item)
{
    const char *end_of_item = (const char *)item + extent_bytes(&item->extent);
    return (size_t)(end_of_item - first_bytes(item));
}

static size_t memory_of(const struct store *store, const struct segment_item *item)
{
    size_t bytes = extent_bytes(&item->extent);
    for (segment_ref ref = first_chunk(item); ref; ref = page_chunk(&store->page, ref)->next)
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

// --- linking ------------------------------------------------------------------------------------

static void count(struct store *store, const struct segment_item *item, int sign)
{
    struct segment_header *header = store->page.header;
    if (!is_current(store, item))
        return; // was taken off when everything was
    header->items += (uint64_t)(int64_t)sign;
    header->item_bytes += (uint64_t)((int64_t)memory_of(store, item) * sign);
}

static void unlink_from(const struct store *store, struct segment_bucket *bucket, segment_ref ref)
{
    segment_ref next = page_item(&store->page, ref)->next;
    segment_ref before = first_of(bucket);
    if (before == ref) {
        atomic_store_explicit(&bucket->head, next, memory_order_relaxed);
        return;
    }
    while (page_item(&store->page, before)->next != ref)
        before = page_item(&store->page, before)->next;
    page_item(&store->page, before)->next = next;
}

// The item is in no bucket any more.
static void release(struct store *store, segment_ref ref)
{
    struct segment_item *item = page_item(&store->page, ref);
    segment_ref chunks = first_chunk(item);
    count(store, item, -1);
    eviction_remove(store->eviction, ref);
    wheel_remove(&store->page, ref);
    heap_give(&store->heap, ref);
    give_chunks(store, chunks);
}

static void remove_item(struct store *store, struct segment_bucket *bucket, segment_ref ref)
{
    lock(bucket);
    unlink_from(store, bucket, ref);
    unlock(bucket);
    release(store, ref);
}

// --- room ---------------------------------------------------------------------------------------

static bool evict_one(struct store *store)
{
    segment_ref ref = eviction_victim(store->eviction);
    if (!ref)
        return false;
    const struct segment_item *item = page_item(&store->page, ref);
    struct place place = place_of_item(store, item);
    if (is_live(store, item, store->now_ms)) {
        eviction_remember(store->eviction, ref);
        store->evicted++;
    }
    remove_item(store, place.bucket, ref);
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
    size_t here = first_room(item);
    if (here > set->length)
        here = set->length;
    segment_ref chunks = write_chunks(store, set->value + here, set->length - here);
    if (!chunks && here < set->length) {
        heap_give(&store->heap, ref);
        return 0;
    }
    memcpy(item_value(item), &chunks, sizeof chunks);
    memcpy(first_bytes(item), set->value, here);
    return ref;
}

// A complete item that is linked nowhere; others go for it. 0: there is no room at all.
static segment_ref build(struct store *store, const struct store_set *set)
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

// --- setting ------------------------------------------------------------------------------------

size_t store_item_max(const struct store *store)
{
    const struct segment_header *header = store->page.header;
    return (size_t)(header->heap_end - header->heap_at) * SEGMENT_UNIT / ITEM_SHARE;
}

// A value that fits where the old one stands goes there: nothing is allocated, nothing moves.
static bool set_in_place(struct store *store, const struct place *place, segment_ref ref,
                         const struct store_set *set)
{
    struct segment_item *item = page_item(&store->page, ref);
    size_t room = first_room(item);
    if (item->bits & ITEM_LARGE || item->tag_count > 0 || set->tag_count > 0 ||
        !is_current(store, item) || set->length > room || room - set->length > room / 4 + 16)
        return false;
    wheel_remove(&store->page, ref);
    lock(place->bucket);
    item->value_length = (uint32_t)set->length;
    item->expires_ms = set->expires_ms;
    memcpy(item_value(item), set->value, set->length);
    unlock(place->bucket);
    if (set->expires_ms)
        wheel_add(&store->page, ref);
    eviction_touch(store->eviction, ref);
    return true;
}

static void link_item(struct store *store, const struct place *place, segment_ref ref)
{
    segment_ref old = find(store, place); // looked for now: building may have evicted it
    struct segment_item *item = page_item(&store->page, ref);
    item->next = first_of(place->bucket);
    page_order();
    lock(place->bucket);
    atomic_store_explicit(&place->bucket->head, ref, memory_order_relaxed);
    if (old)
        unlink_from(store, place->bucket, old);
    unlock(place->bucket);
    if (old)
        release(store, old);
    eviction_add(store->eviction, ref);
    if (item->expires_ms)
        wheel_add(&store->page, ref);
    count(store, item, 1);
}

int store_set(struct store *store, const struct store_set *set, uint64_t now_ms, struct err *err)
{
    struct place place = place_of(store, set->key, set->key_length);
    if (set->key_length > SEGMENT_KEY_MAX || set->key_length + set->length > store_item_max(store))
        return err_set(err, "too large for this cache: %zu bytes, at most %zu",
                       set->key_length + set->length, store_item_max(store));
    store->now_ms = now_ms;
    begin(store);
    segment_ref old = find(store, &place);
    segment_ref ref = 0;
    bool done = old && set_in_place(store, &place, old, set);
    if (!done && (ref = build(store, set)) != 0)
        link_item(store, &place, ref);
    end(store);
    return done || ref ? 0 : err_set(err, "no room in the cache");
}

// --- reading ------------------------------------------------------------------------------------

bool store_peek(struct store *store, const char *key, size_t length, uint64_t now_ms,
                struct store_value *value)
{
    struct place place = place_of(store, key, length);
    segment_ref ref = find(store, &place);
    if (!ref)
        return false;
    const struct segment_item *item = page_item(&store->page, ref);
    if (!is_live(store, item, now_ms)) {
        begin(store);
        remove_item(store, place.bucket, ref);
        end(store);
        return false;
    }
    *value =
        (struct store_value){item->expires_ms, item->value_length, ref, ref, item->value_length};
    return true;
}

bool store_get(struct store *store, const char *key, size_t length, uint64_t now_ms,
               struct store_value *value)
{
    bool found = store_peek(store, key, length, now_ms, value);
    if (found) {
        eviction_touch(store->eviction, value->ref);
        store->hits++;
    } else {
        store->misses++;
    }
    return found;
}

const char *store_next_piece(const struct store *store, struct store_value *value, size_t *length)
{
    const char *bytes;
    if (value->left == 0 && value->next != value->ref)
        return NULL;
    if (value->next == value->ref) {
        const struct segment_item *item = page_item(&store->page, value->ref);
        size_t room = first_room(item);
        bytes = first_bytes(item);
        *length = room < value->left ? room : value->left;
        value->next = first_chunk(item);
    } else {
        const struct segment_chunk *chunk = page_chunk(&store->page, value->next);
        bytes = (const char *)(chunk + 1);
        *length = chunk->length;
        value->next = chunk->next;
    }
    value->left -= (uint32_t)*length;
    return bytes;
}

void store_copy(const struct store *store, const struct store_value *value, char *to)
{
    struct store_value rest = *value;
    const char *piece;
    size_t length;
    while ((piece = store_next_piece(store, &rest, &length)) != NULL) {
        memcpy(to, piece, length);
        to += length;
    }
}

size_t store_value_memory(const struct store *store, const struct store_value *value)
{
    return memory_of(store, page_item(&store->page, value->ref));
}

const struct segment_tag *store_value_tags(const struct store *store,
                                           const struct store_value *value, size_t *count_of)
{
    const struct segment_item *item = page_item(&store->page, value->ref);
    *count_of = item->tag_count;
    return item_tags(item);
}

// --- other changes ------------------------------------------------------------------------------

bool store_delete(struct store *store, const char *key, size_t length, uint64_t now_ms)
{
    struct place place = place_of(store, key, length);
    segment_ref ref = find(store, &place);
    if (!ref)
        return false;
    bool live = is_live(store, page_item(&store->page, ref), now_ms);
    begin(store);
    remove_item(store, place.bucket, ref);
    end(store);
    return live;
}

void store_expire(struct store *store, const struct store_value *value, uint64_t expires_ms)
{
    struct segment_item *item = page_item(&store->page, value->ref);
    struct place place = place_of_item(store, item);
    begin(store);
    wheel_remove(&store->page, value->ref);
    lock(place.bucket);
    item->expires_ms = expires_ms;
    unlock(place.bucket);
    if (expires_ms)
        wheel_add(&store->page, value->ref);
    end(store);
}

struct segment_tag store_tag(const struct store *store, const char *tag, size_t length)
{
    uint32_t slot = segment_tag_slot(store->page.header, tag, length);
    return (struct segment_tag){
        slot, atomic_load_explicit(&store->page.generations[slot], memory_order_relaxed)};
}

void store_purge_tag(struct store *store, const char *tag, size_t length)
{
    uint32_t slot = segment_tag_slot(store->page.header, tag, length);
    atomic_fetch_add_explicit(&store->page.generations[slot], 1, memory_order_release);
}

void store_flush(struct store *store)
{
    struct segment_header *header = store->page.header;
    begin(store);
    atomic_fetch_add_explicit(&header->generation, 1, memory_order_release);
    header->items = header->item_bytes = 0;
    end(store);
}

void store_touch(struct store *store, uint64_t hash)
{
    struct place place = place_of_hash(store, hash);
    segment_ref ref = first_of(place.bucket);
    while (ref && page_item(&store->page, ref)->hash != place.hash)
        ref = page_item(&store->page, ref)->next;
    if (ref)
        eviction_touch(store->eviction, ref);
}

static void expire_item(void *context, segment_ref ref)
{
    struct store *store = context;
    struct place place = place_of_item(store, page_item(&store->page, ref));
    if (is_current(store, page_item(&store->page, ref)))
        store->expired++;
    remove_item(store, place.bucket, ref);
}

bool store_expire_some(struct store *store, uint64_t now_ms, unsigned budget)
{
    begin(store);
    bool more = wheel_advance(&store->page, now_ms, budget, expire_item, store);
    end(store);
    return more;
}

void store_scan(struct store *store, uint64_t *cursor, size_t wanted, uint64_t now_ms,
                void (*visit)(void *context, const char *key, size_t length), void *context)
{
    uint64_t bucket = *cursor, buckets = (uint64_t)store->page.header->bucket_mask + 1;
    uint64_t steps = 10 * (uint64_t)wanted + 1; // an almost empty table is no reason to stay long
    for (size_t seen = 0; bucket < buckets && seen < wanted && steps > 0; bucket++, steps--) {
        for (segment_ref ref = first_of(&store->page.buckets[bucket]); ref;
             ref = page_item(&store->page, ref)->next) {
            const struct segment_item *item = page_item(&store->page, ref);
            if (!is_live(store, item, now_ms))
                continue;
            visit(context, item_key(item), item->key_length);
            seen++;
        }
    }
    *cursor = bucket < buckets ? bucket : 0;
}

void store_stats(const struct store *store, struct store_stats *stats)
{
    const struct segment_header *header = store->page.header;
    *stats = (struct store_stats){.keys = header->items,
                                  .key_bytes = header->item_bytes,
                                  .memory = header->size,
                                  .used = header->size - header->free_bytes,
                                  .hits = store->hits,
                                  .misses = store->misses,
                                  .evicted = store->evicted,
                                  .expired = store->expired};
}

// --- opening ------------------------------------------------------------------------------------

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
    size_t room = first_room(item), left = item->value_length;
    if (!(item->bits & ITEM_LARGE))
        return left <= room;
    left -= room < left ? room : left;
    for (segment_ref ref = first_chunk(item); left > 0;) {
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
    struct place place = place_of_item(store, item);
    for (; first != ref; first = page_item(&store->page, first)->next) {
        if (item_is(page_item(&store->page, first), &place))
            return true;
    }
    return false;
}

static void recover_bucket(struct reached *reached, struct segment_bucket *bucket)
{
    struct store *store = reached->store;
    segment_ref ref = first_of(bucket), last = 0;
    // In the one that was being changed a value may be half written over: it loses all it has.
    if (atomic_load_explicit(&bucket->version, memory_order_relaxed) % 2 != 0)
        ref = 0;
    else
        lock(bucket);
    atomic_store_explicit(&bucket->head, 0, memory_order_relaxed);
    while (ref && reach_item(reached, ref)) {
        segment_ref next = page_item(&store->page, ref)->next;
        if (last)
            page_item(&store->page, last)->next = ref;
        else
            atomic_store_explicit(&bucket->head, ref, memory_order_relaxed);
        page_item(&store->page, ref)->next = 0;
        if (is_replaced(store, first_of(bucket), ref)) {
            if (last)
                page_item(&store->page, last)->next = 0;
            reached->bits[ref / 64] &= ~(UINT64_C(1) << (ref % 64));
        } else {
            last = ref;
        }
        ref = next;
    }
    unlock(bucket);
}

static void requeue(struct store *store, segment_ref ref)
{
    struct segment_item *item = page_item(&store->page, ref);
    item->bits &= (uint8_t)~ITEM_QUEUE;
    eviction_add(store->eviction, ref);
    if (item->expires_ms)
        wheel_add(&store->page, ref);
    count(store, item, 1);
}

static void requeue_all(struct store *store)
{
    for (uint64_t i = 0; i <= store->page.header->bucket_mask; i++) {
        segment_ref ref = first_of(&store->page.buckets[i]);
        for (; ref; ref = page_item(&store->page, ref)->next)
            requeue(store, ref);
    }
}

static int recover(struct store *store, uint64_t now_ms, struct err *err)
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
    end(store);
    return 0;
}

static void format(struct store *store, uint64_t now_ms)
{
    heap_format(&store->heap, &store->page);
    wheel_format(&store->page, now_ms);
    segment_publish(store->page.base);
}

struct store *store_open(void *base, uint64_t size, uint64_t now_ms, struct err *err)
{
    bool new = ((const struct segment_header *)base)->magic == 0;
    if ((new ? segment_format(base, size, err) : segment_check(base, size, err)) == -1)
        return NULL;
    struct store *store = mem_zalloc(1, sizeof *store);
    store->page = page_of(base);
    store->eviction = eviction_new(&store->page);
    if (new) {
        format(store, now_ms);
    } else if (store->page.header->busy % 2 == 0) {
        heap_open(&store->heap, &store->page);
    } else if (recover(store, now_ms, err) == -1) {
        store_close(store);
        return NULL;
    }
    return store;
}

void store_wipe(void *base, uint64_t size)
{
    ((struct segment_header *)base)->magic = 0;
    page_order();
    memset(base, 0, size);
}

void store_close(struct store *store)
{
    if (!store)
        return;
    eviction_free(store->eviction);
    free(store);
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
        for (segment_ref ref = first_of(&store->page.buckets[i]); ref;
             ref = page_item(&store->page, ref)->next) {
            const struct segment_item *item = page_item(&store->page, ref);
            all++;
            timed += item->expires_ms != 0;
            current += is_current(store, item);
            bytes += is_current(store, item) ? memory_of(store, item) : 0;
            if (place_of_item(store, item).bucket != &store->page.buckets[i])
                return false;
        }
    }
    return store->page.header->busy % 2 == 0 && current == store->page.header->items &&
           bytes == store->page.header->item_bytes && queues_hold(store, all) &&
           count_timed(store) == timed && heap_is_sound(&store->heap);
}
