// A page that a writer left in the middle of a change: `busy` is odd, the book-keeping is anything,
// one bucket is locked and its items half written, and there are extents that nothing refers to.
// store_open makes it whole again, and loses nothing but that bucket.
//
// Not for damaged buckets, which no writer leaves.
//
// covers: cachesvc/store_recovery.c cachesvc/heap.c cachesvc/wheel.c
#include <stdint.h>

#include "cache_page.h"

enum { EXTENTS_MAX = 4096 };

enum damage {
    DAMAGE_HEADER,     // sums, queues, wheel, lists of free extents
    DAMAGE_LINKS,      // of an item, in its queue and the wheel
    DAMAGE_BITS,       // of an item, but for what its value is
    DAMAGE_AFTER_FREE, // what an extent says about the one before it
    DAMAGE_FREE,       // the inside of a free extent
    DAMAGE_TAKEN,      // it was just taken
    DAMAGE_FORGOTTEN,  // a bucket's items are out of it, and still take their extents
    DAMAGE_LOCKED,     // the one bucket that is locked, and its first item
    DAMAGES
};

static char *page;   // what is opened
static char *intact; // the page as it was
static segment_ref extents[EXTENTS_MAX];
static size_t extent_count;

struct state {
    struct input input;
    const struct segment_bucket *locked; // NULL: none
    bool gone[CACHE_PAGE_KEYS];
};

static void *at(segment_ref ref)
{
    return page + (size_t)ref * SEGMENT_UNIT;
}

static size_t extent_bytes_at(segment_ref ref)
{
    const struct segment_extent *extent = at(ref);
    return (size_t)(extent->size & EXTENT_SIZE) * SEGMENT_UNIT;
}

static void set_up(void)
{
    if (page != NULL)
        return;
    int file = cache_page_file();
    page = cache_page_map(file);
    cache_page_fill(page);
    const struct segment_header *header = (const struct segment_header *)page;
    for (segment_ref ref = header->heap_at; ref < header->heap_end;
         ref += (segment_ref)(extent_bytes_at(ref) / SEGMENT_UNIT)) {
        require(extent_count < EXTENTS_MAX);
        extents[extent_count++] = ref;
    }
    intact = malloc(CACHE_PAGE_SIZE);
    require(intact != NULL);
    memcpy(intact, page, CACHE_PAGE_SIZE);
    close(file);
}

// --- damage -------------------------------------------------------------------------------------

// Up to 8 bytes somewhere in `length` bytes.
static void scribble(struct input *input, void *from, size_t length)
{
    size_t first = input_number(input, 2) % length;
    size_t count = 1 + input_number(input, 1) % 8;
    for (size_t i = first; i < length && i < first + count; i++)
        ((uint8_t *)from)[i] = (uint8_t)input_number(input, 1);
}

// Everything behind the size of its extent, which tiles the heap whatever happens.
static void scribble_extent(struct input *input, segment_ref ref)
{
    size_t own = sizeof(struct segment_extent);
    scribble(input, (char *)at(ref) + own, extent_bytes_at(ref) - own);
}

static void lose_bucket(struct state *state, const struct segment_bucket *bucket)
{
    for (unsigned number = 0; number < CACHE_PAGE_KEYS; number++)
        if (cache_page_bucket(page, number) == bucket)
            state->gone[number] = true;
}

static void damage_bucket(struct state *state, unsigned key, bool locked)
{
    struct segment_bucket *bucket = cache_page_bucket(page, key);
    segment_ref first = atomic_load(&bucket->head);
    if (locked && state->locked == NULL) {
        atomic_fetch_add(&bucket->version, 1);
        state->locked = bucket;
    } else if (bucket != state->locked) {
        atomic_store(&bucket->head, 0);
    }
    lose_bucket(state, bucket);
    if (first != 0)
        scribble_extent(&state->input, first);
}

static void damage_item(struct input *input, struct segment_item *item, enum damage damage)
{
    size_t from = offsetof(struct segment_item, queue_newer);
    if (damage == DAMAGE_BITS)
        item->bits =
            (uint8_t)((input_number(input, 1) & ~(unsigned)ITEM_LARGE) | (item->bits & ITEM_LARGE));
    else
        scribble(input, (char *)item + from, offsetof(struct segment_item, generation) - from);
}

static void damage_extent(struct input *input, segment_ref ref, enum damage damage)
{
    struct segment_extent *extent = at(ref);
    if (damage == DAMAGE_AFTER_FREE)
        extent->size ^= EXTENT_AFTER_FREE;
    else if (!(extent->size & EXTENT_USED) && damage == DAMAGE_TAKEN)
        extent->size |= EXTENT_USED;
    else if (!(extent->size & EXTENT_USED))
        scribble_extent(input, ref);
}

static void damage(struct state *state)
{
    struct input *input = &state->input;
    enum damage damage = input_number(input, 1) % DAMAGES;
    uint32_t number = input_number(input, 2);
    unsigned key = number % CACHE_PAGE_KEYS;
    size_t books = offsetof(struct segment_header, items);
    switch (damage) {
    case DAMAGE_HEADER:
        scribble(input, page + books, sizeof(struct segment_header) - books);
        break;
    case DAMAGE_LINKS:
    case DAMAGE_BITS:
        damage_item(input, at(cache_page_item(intact, key)), damage);
        break;
    case DAMAGE_AFTER_FREE:
    case DAMAGE_FREE:
    case DAMAGE_TAKEN:
        damage_extent(input, extents[number % extent_count], damage);
        break;
    case DAMAGE_FORGOTTEN:
    case DAMAGE_LOCKED:
        damage_bucket(state, key, damage == DAMAGE_LOCKED);
        break;
    case DAMAGES:
        break;
    }
}

// --- judging ------------------------------------------------------------------------------------

static void check_keys(struct store *store, const struct state *state)
{
    static char copy[CACHE_PAGE_KEYS * 500];
    char key[CACHE_PAGE_KEY_SIZE];
    struct store_value value;
    for (unsigned number = 0; number < CACHE_PAGE_KEYS; number++) {
        size_t length = cache_page_key(number, key);
        require(store_peek(store, key, length, CACHE_PAGE_NOW_MS, &value) == !state->gone[number]);
        if (state->gone[number])
            continue;
        require(value.length == cache_page_length(number));
        store_copy(store, &value, copy);
        require(cache_page_is_value(number, copy, value.length));
    }
}

static void use(struct store *store)
{
    static const char bytes[50000];
    cache_page_set(store, "key:1", "short", 5, 2);
    cache_page_set(store, "key:21", bytes, sizeof bytes, 1);
    cache_page_set(store, "other", bytes, sizeof bytes, 0);
    (void)store_delete(store, "key:22", 6, CACHE_PAGE_NOW_MS);
    while (store_expire_some(store, CACHE_PAGE_NOW_MS + 100000, 100))
        continue;
    require(store_is_sound(store));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct state state = {.input = {data, data + size}};
    struct err err;
    set_up();
    memcpy(page, intact, CACHE_PAGE_SIZE);
    ((struct segment_header *)page)->busy++;
    while (state.input.at < state.input.end)
        damage(&state);
    struct store *store = store_open(page, CACHE_PAGE_SIZE, CACHE_PAGE_NOW_MS, &err);
    require(store != NULL);
    require(store_is_sound(store));
    check_keys(store, &state);
    use(store);
    store_close(store);
    return 0;
}
