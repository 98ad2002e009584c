// The keys of the cache, in the segment: find, set, delete, expire, scan. One writer, this process;
// no I/O. Time is a parameter (clock_wall_ms, since expiry has to survive us).
//
// Whatever is killed whenever: an item is in the segment whole or not at all, and one whose
// deletion was returned from is in it no more.
#ifndef GW_CACHESVC_STORE_H
#define GW_CACHESVC_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/segment.h"

struct store;

// Takes up the page of `size` bytes that is mapped at base, or formats it when it is empty. What a
// writer that died in the middle of a change left is mended. `base` is borrowed until store_close,
// which leaves the page as it is. NULL: the page is of another version, or too small.
struct store *store_open(void *base, uint64_t size, uint64_t now_ms, struct err *err) GW_MUST_USE;
void store_close(struct store *store); // NULL is allowed

// Makes an empty page of one that store_open refused. Readers that have it mapped find nothing.
void store_wipe(void *base, uint64_t size);

// A key that is there. The bytes are in the segment: valid until the next change of the store.
struct store_value {
    uint64_t expires_ms; // 0: never
    uint32_t length;
    segment_ref ref; // private, as what follows
    segment_ref next;
    uint32_t left;
};

// Finds a key and counts that it was read (store_stats.hits, eviction). false: it is not there.
bool store_get(struct store *store, const char *key, size_t length, uint64_t now_ms,
               struct store_value *value);

// The same without counting.
bool store_peek(struct store *store, const char *key, size_t length, uint64_t now_ms,
                struct store_value *value);

// The next piece of a value just found, small ones have one; NULL at the end.
const char *store_next_piece(const struct store *store, struct store_value *value, size_t *length);

// Copies the whole value: `to` has room for value->length bytes.
void store_copy(const struct store *store, const struct store_value *value, char *to);

struct store_set {
    const char *key;
    size_t key_length; // at most SEGMENT_KEY_MAX
    const char *value;
    size_t length;
    uint64_t expires_ms;            // 0: never
    const struct segment_tag *tags; // from store_tag; NULL: none
    size_t tag_count;               // at most SEGMENT_TAGS_MAX
};

// Sets or replaces a key; others go when there is no room. -1 with err: it is too large for this
// cache (store_item_max), the key that was there is unchanged.
int store_set(struct store *store, const struct store_set *set, uint64_t now_ms,
              struct err *err) GW_MUST_USE;

// The largest value plus key.
size_t store_item_max(const struct store *store);

// false: it was not there.
bool store_delete(struct store *store, const char *key, size_t length, uint64_t now_ms);

// Changes when a value just found expires; 0: never.
void store_expire(struct store *store, const struct store_value *value, uint64_t expires_ms);

// The tag as it is now, to be stored with items; and: everything stored with it until now is gone,
// at once, however much that is.
struct segment_tag store_tag(const struct store *store, const char *tag, size_t length);
void store_purge_tag(struct store *store, const char *tag, size_t length);

// The same for tags that are known by their number among those of all machines
// (SEGMENT_TAG_SLOTS_MIN) only. Purging takes all that have it in common.
struct segment_tag store_tag_of_slot(const struct store *store, uint32_t slot);
void store_purge_slot(struct store *store, uint32_t slot);

// Everything is gone, at once. Its memory comes back as it is needed.
void store_flush(struct store *store);

// Visits the keys of some buckets, from *cursor on, at least `count` keys if there are as many
// left; *cursor is 0 at the end. Every key that is there from the first call to the last is visited
// once. The visitor must not change the store.
void store_scan(struct store *store, uint64_t *cursor, size_t count, uint64_t now_ms,
                void (*visit)(void *context, const char *key, size_t length), void *context);

// The key with this hash (segment_hash) was read by somebody else.
void store_touch(struct store *store, uint64_t hash);

// Gives memory of expired items back: at most `budget` of them. Returns whether there is more to do
// at once; to be called about once a second otherwise.
bool store_expire_some(struct store *store, uint64_t now_ms, unsigned budget);

struct store_stats {
    uint64_t keys, key_bytes; // keys and what they take, headers included
    uint64_t memory, used;    // of the page; everything but what is free
    uint64_t hits, misses;    // of store_get, since the store was opened
    uint64_t evicted, expired;
};
void store_stats(const struct store *store, struct store_stats *stats);

// The tags of a value just found, in the segment; to be copied before they are stored again.
const struct segment_tag *store_value_tags(const struct store *store,
                                           const struct store_value *value, size_t *count);

// The bytes that the item of a value just found takes.
size_t store_value_memory(const struct store *store, const struct store_value *value);

// The header of the page, which is the writer's but for what the store keeps in it.
struct segment_header *store_page(const struct store *store);

// For tests: whether everything in the page agrees with everything else.
bool store_is_sound(const struct store *store);

#endif
