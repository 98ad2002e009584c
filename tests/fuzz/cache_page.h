// A small cache page for the targets that damage one: cachesvc's store has filled it with keys of
// every kind, tags, and values in many pieces.
#ifndef GW_FUZZ_CACHE_PAGE_H
#define GW_FUZZ_CACHE_PAGE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store.h"

enum {
    CACHE_PAGE_SIZE = 1 << 20,
    CACHE_PAGE_KEYS = 24,
    CACHE_PAGE_LARGE = 20, // from this number on values are in pieces
    CACHE_PAGE_KEY_SIZE = 24,
    CACHE_PAGE_TAGS = 3,
};

#define CACHE_PAGE_NOW_MS UINT64_C(1700000000000)

static inline void require(bool condition)
{
    if (!condition)
        abort();
}

// Maps the file for reading and writing, between two stretches of memory that nobody may touch.
static inline char *cache_page_map(int fd)
{
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    char *all =
        mmap(NULL, CACHE_PAGE_SIZE + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(all != MAP_FAILED);
    void *base =
        mmap(all + guard, CACHE_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    require(base == all + guard);
    return base;
}

static inline int cache_page_file(void)
{
    int fd = memfd_create("cache", MFD_CLOEXEC);
    require(fd >= 0 && ftruncate(fd, CACHE_PAGE_SIZE) == 0);
    return fd;
}

static inline size_t cache_page_key(unsigned number, char key[CACHE_PAGE_KEY_SIZE])
{
    return (size_t)snprintf(key, CACHE_PAGE_KEY_SIZE, "key:%u", number);
}

static inline size_t cache_page_length(unsigned number)
{
    return number < CACHE_PAGE_LARGE ? number * 7 : number * 500;
}

static inline char cache_page_byte(unsigned number, size_t at)
{
    return (char)(number * 31 + at);
}

static inline bool cache_page_is_value(unsigned number, const char *bytes, size_t length)
{
    bool same = length == cache_page_length(number);
    for (size_t at = 0; same && at < length; at++)
        same = bytes[at] == cache_page_byte(number, at);
    return same;
}

static inline void cache_page_set(struct store *store, const char *key, const char *value,
                                  size_t length, size_t tag_count)
{
    static const char *const names[CACHE_PAGE_TAGS] = {"red", "green", "blue"};
    struct segment_tag tags[CACHE_PAGE_TAGS];
    struct err err;
    for (size_t i = 0; i < tag_count; i++)
        tags[i] = store_tag(store, names[i], strlen(names[i]));
    struct store_set set = {.key = key,
                            .key_length = strlen(key),
                            .value = value,
                            .length = length,
                            .expires_ms = tag_count == 1 ? CACHE_PAGE_NOW_MS + 60000 : 0,
                            .tags = tags,
                            .tag_count = tag_count};
    require(store_set(store, &set, CACHE_PAGE_NOW_MS, &err) == 0);
}

// Fills the page and takes every second one out again: what is free then is in small extents.
static inline void cache_page_scatter(struct store *store)
{
    struct store_stats stats = {.evicted = 0};
    char key[CACHE_PAGE_KEY_SIZE], value[1000] = {0};
    int count = 0;
    for (; stats.evicted == 0; count++) {
        snprintf(key, sizeof key, "filler:%d", count);
        cache_page_set(store, key, value, sizeof value, 0);
        store_stats(store, &stats);
    }
    for (; count >= 0; count -= 2) {
        int length = snprintf(key, sizeof key, "filler:%d", count);
        (void)store_delete(store, key, (size_t)length, CACHE_PAGE_NOW_MS);
    }
}

// Makes an empty page one with the keys 0 to CACHE_PAGE_KEYS - 1.
static inline void cache_page_fill(char *base)
{
    static char value[CACHE_PAGE_KEYS * 500];
    char key[CACHE_PAGE_KEY_SIZE];
    struct err err;
    struct store *store = store_open(base, CACHE_PAGE_SIZE, CACHE_PAGE_NOW_MS, &err);
    require(store != NULL);
    cache_page_scatter(store);
    for (unsigned number = CACHE_PAGE_KEYS; number-- > 0;) {
        cache_page_key(number, key);
        for (size_t at = 0; at < cache_page_length(number); at++)
            value[at] = cache_page_byte(number, at);
        cache_page_set(store, key, value, cache_page_length(number),
                       number % (CACHE_PAGE_TAGS + 1));
    }
    require(store_is_sound(store));
    store_close(store);
}

static inline struct segment_bucket *cache_page_bucket(char *base, unsigned number)
{
    const struct segment_header *header = (const struct segment_header *)base;
    char key[CACHE_PAGE_KEY_SIZE];
    size_t length = cache_page_key(number, key);
    struct segment_bucket *buckets =
        (struct segment_bucket *)(base + (size_t)header->buckets_at * SEGMENT_UNIT);
    return &buckets[segment_hash(key, length) & header->bucket_mask];
}

// The item of a key in a page that nobody damaged yet.
static inline segment_ref cache_page_item(char *base, unsigned number)
{
    char key[CACHE_PAGE_KEY_SIZE];
    size_t length = cache_page_key(number, key);
    segment_ref ref = atomic_load(&cache_page_bucket(base, number)->head);
    for (;;) {
        const struct segment_item *item = (const void *)(base + (size_t)ref * SEGMENT_UNIT);
        const char *tags_end =
            (const char *)(item + 1) + item->tag_count * sizeof(struct segment_tag);
        require(ref != 0);
        if (item->key_length == length && memcmp(tags_end, key, length) == 0)
            return ref;
        ref = item->next;
    }
}

// The first further extent of a large value, likewise.
static inline segment_ref cache_page_chunk(char *base, unsigned number)
{
    const struct segment_item *item =
        (const void *)(base + (size_t)cache_page_item(base, number) * SEGMENT_UNIT);
    const char *value =
        (const char *)(item + 1) + item->tag_count * sizeof(struct segment_tag) + item->key_length;
    segment_ref ref;
    require((item->bits & ITEM_LARGE) != 0);
    memcpy(&ref, value, sizeof ref);
    return ref;
}

// What is left of an input. Behind its end there are zeroes.
struct input {
    const uint8_t *at, *end;
};

static inline uint32_t input_number(struct input *input, unsigned bytes)
{
    uint32_t number = 0;
    for (; bytes > 0; bytes--)
        number = number << 8 | (input->at < input->end ? *input->at++ : 0);
    return number;
}

#endif
