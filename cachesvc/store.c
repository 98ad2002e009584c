// The operations on keys: set, read, delete, expire, scan. What an item is made of is
// store_item.c's.
//
// The invariant: `busy` is odd while heap, queues, wheel and sums may not fit the buckets. Who
// opens a page with an odd one rebuilds all of it from the buckets (store_recovery.c).

#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "store_item.h"
#include "store_recovery.h"
#include "wheel.h"

enum { ITEM_SHARE = 8 }; // no item is larger than this part of the heap

// --- setting ------------------------------------------------------------------------------------

size_t store_item_max(const struct store *store)
{
    const struct segment_header *header = store->page.header;
    return (size_t)(header->heap_end - header->heap_at) * SEGMENT_UNIT / ITEM_SHARE;
}

// A value that fits where the old one stands goes there: nothing is allocated, nothing moves.
static bool set_in_place(struct store *store, const struct store_place *place, segment_ref ref,
                         const struct store_set *set)
{
    struct segment_item *item = page_item(&store->page, ref);
    size_t room = item_first_room(item);
    if (item->bits & ITEM_LARGE || item->tag_count > 0 || set->tag_count > 0 ||
        !store_item_is_current(store, item) || set->length > room ||
        room - set->length > room / 4 + 16)
        return false;
    wheel_remove(&store->page, ref);
    bucket_lock(place->bucket);
    item->value_length = (uint32_t)set->length;
    item->expires_ms = set->expires_ms;
    memcpy(item_value(item), set->value, set->length);
    bucket_unlock(place->bucket);
    if (set->expires_ms)
        wheel_add(&store->page, ref);
    eviction_touch(store->eviction, ref);
    return true;
}

int store_set(struct store *store, const struct store_set *set, uint64_t now_ms, struct err *err)
{
    struct store_place place = store_item_place(store, set->key, set->key_length);
    if (set->key_length > SEGMENT_KEY_MAX || set->key_length + set->length > store_item_max(store))
        return err_set(err, "too large for this cache: %zu bytes, at most %zu",
                       set->key_length + set->length, store_item_max(store));
    store->now_ms = now_ms;
    store_begin(store);
    segment_ref old = store_item_find(store, &place);
    segment_ref ref = 0;
    bool done = old && set_in_place(store, &place, old, set);
    if (!done && (ref = store_item_build(store, set)) != 0)
        store_item_link(store, &place, ref);
    store_end(store);
    return done || ref ? 0 : err_set(err, "no room in the cache");
}

// --- reading ------------------------------------------------------------------------------------

bool store_peek(struct store *store, const char *key, size_t length, uint64_t now_ms,
                struct store_value *value)
{
    struct store_place place = store_item_place(store, key, length);
    segment_ref ref = store_item_find(store, &place);
    if (!ref)
        return false;
    const struct segment_item *item = page_item(&store->page, ref);
    if (!store_item_is_live(store, item, now_ms)) {
        store_begin(store);
        store_item_remove(store, place.bucket, ref);
        store_end(store);
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
        size_t room = item_first_room(item);
        bytes = item_first_bytes(item);
        *length = room < value->left ? room : value->left;
        value->next = item_first_chunk(item);
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
    return store_item_memory(store, page_item(&store->page, value->ref));
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
    struct store_place place = store_item_place(store, key, length);
    segment_ref ref = store_item_find(store, &place);
    if (!ref)
        return false;
    bool live = store_item_is_live(store, page_item(&store->page, ref), now_ms);
    store_begin(store);
    store_item_remove(store, place.bucket, ref);
    store_end(store);
    return live;
}

void store_expire(struct store *store, const struct store_value *value, uint64_t expires_ms)
{
    struct segment_item *item = page_item(&store->page, value->ref);
    struct store_place place = store_item_place_of(store, item);
    store_begin(store);
    wheel_remove(&store->page, value->ref);
    bucket_lock(place.bucket);
    item->expires_ms = expires_ms;
    bucket_unlock(place.bucket);
    if (expires_ms)
        wheel_add(&store->page, value->ref);
    store_end(store);
}

struct segment_tag store_tag_of_slot(const struct store *store, uint32_t slot)
{
    return (struct segment_tag){
        slot, atomic_load_explicit(&store->page.generations[slot], memory_order_relaxed)};
}

struct segment_tag store_tag(const struct store *store, const char *tag, size_t length)
{
    return store_tag_of_slot(store, segment_tag_slot(store->page.header, tag, length));
}

static void purge(struct store *store, uint32_t slot)
{
    atomic_fetch_add_explicit(&store->page.generations[slot], 1, memory_order_release);
}

void store_purge_tag(struct store *store, const char *tag, size_t length)
{
    purge(store, segment_tag_slot(store->page.header, tag, length));
}

void store_purge_slot(struct store *store, uint32_t slot)
{
    for (; slot <= store->page.header->tag_mask; slot += SEGMENT_TAG_SLOTS_MIN)
        purge(store, slot);
}

struct segment_header *store_page(const struct store *store)
{
    return store->page.header;
}

void store_flush(struct store *store)
{
    struct segment_header *header = store->page.header;
    store_begin(store);
    atomic_fetch_add_explicit(&header->generation, 1, memory_order_release);
    header->items = header->item_bytes = 0;
    store_end(store);
}

void store_touch(struct store *store, uint64_t hash)
{
    struct store_place place = store_item_place_of_hash(store, hash);
    segment_ref ref = bucket_first(place.bucket);
    while (ref && page_item(&store->page, ref)->hash != place.hash)
        ref = page_item(&store->page, ref)->next;
    if (ref)
        eviction_touch(store->eviction, ref);
}

static void expire_item(void *context, segment_ref ref)
{
    struct store *store = context;
    struct store_place place = store_item_place_of(store, page_item(&store->page, ref));
    if (store_item_is_current(store, page_item(&store->page, ref)))
        store->expired++;
    store_item_remove(store, place.bucket, ref);
}

bool store_expire_some(struct store *store, uint64_t now_ms, unsigned budget)
{
    store_begin(store);
    bool more = wheel_advance(&store->page, now_ms, budget, expire_item, store);
    store_end(store);
    return more;
}

void store_scan(struct store *store, uint64_t *cursor, size_t wanted, uint64_t now_ms,
                void (*visit)(void *context, const char *key, size_t length), void *context)
{
    uint64_t bucket = *cursor, buckets = (uint64_t)store->page.header->bucket_mask + 1;
    uint64_t steps = 10 * (uint64_t)wanted + 1; // an almost empty table is no reason to stay long
    for (size_t seen = 0; bucket < buckets && seen < wanted && steps > 0; bucket++, steps--) {
        for (segment_ref ref = bucket_first(&store->page.buckets[bucket]); ref;
             ref = page_item(&store->page, ref)->next) {
            const struct segment_item *item = page_item(&store->page, ref);
            if (!store_item_is_live(store, item, now_ms))
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
    } else if (store_recover(store, now_ms, err) == -1) {
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
