// The queues are in the page and survive; who is remembered is not, which costs a few misses after
// a restart.

#include "eviction.h"

#include <stdlib.h>

#include "common/mem.h"

enum {
    SMALL_SHARE = 10,
    REMEMBERED_MAX = 1 << 20,
    PROBES = 4,
    MOVES_MAX = 256 // for one victim, however popular all are
};

struct eviction {
    struct page page;
    // Hashes of keys that went from the small queue, in a table of sets; a new one replaces the
    // oldest of its set.
    uint32_t *remembered;
    uint32_t mask;
};

struct eviction *eviction_new(const struct page *page)
{
    struct eviction *eviction = mem_zalloc(1, sizeof *eviction);
    uint32_t buckets = page->header->bucket_mask + 1;
    uint32_t slots = buckets < REMEMBERED_MAX ? buckets : REMEMBERED_MAX;
    eviction->page = *page;
    eviction->remembered = mem_zalloc(slots, sizeof *eviction->remembered);
    eviction->mask = slots - 1;
    return eviction;
}

void eviction_free(struct eviction *eviction)
{
    if (!eviction)
        return;
    free(eviction->remembered);
    free(eviction);
}

// --- who is remembered --------------------------------------------------------------------------

static uint32_t *set_of(struct eviction *eviction, uint32_t hash)
{
    return &eviction->remembered[(hash & eviction->mask) & ~(uint32_t)(PROBES - 1)];
}

static bool forget(struct eviction *eviction, uint32_t hash)
{
    uint32_t *set = set_of(eviction, hash);
    for (unsigned i = 0; i < PROBES; i++) {
        if (set[i] != hash)
            continue;
        set[i] = 0;
        return true;
    }
    return false;
}

void eviction_remember(struct eviction *eviction, segment_ref ref)
{
    const struct segment_item *item = page_item(&eviction->page, ref);
    uint32_t *set = set_of(eviction, item->hash);
    if ((item->bits & ITEM_QUEUE) != SEGMENT_SMALL)
        return;
    for (unsigned i = PROBES - 1; i > 0; i--)
        set[i] = set[i - 1];
    set[0] = item->hash;
}

// --- queues -------------------------------------------------------------------------------------

static void push(struct eviction *eviction, segment_ref ref, enum segment_queue queue)
{
    struct segment_header *header = eviction->page.header;
    struct segment_item *item = page_item(&eviction->page, ref);

    item->bits = (uint8_t)((item->bits & ~ITEM_QUEUE) | queue);
    item->queue_newer = 0;
    item->queue_older = header->queue[queue].newest;
    if (item->queue_older)
        page_item(&eviction->page, item->queue_older)->queue_newer = ref;
    else
        header->queue[queue].oldest = ref;
    header->queue[queue].newest = ref;
    header->queue[queue].bytes += extent_bytes(&item->extent);
}

void eviction_add(struct eviction *eviction, segment_ref ref)
{
    struct segment_item *item = page_item(&eviction->page, ref);
    item->bits &= (uint8_t)~ITEM_FREQUENCY;
    push(eviction, ref, forget(eviction, item->hash) ? SEGMENT_MAIN : SEGMENT_SMALL);
}

void eviction_remove(struct eviction *eviction, segment_ref ref)
{
    struct segment_header *header = eviction->page.header;
    struct segment_item *item = page_item(&eviction->page, ref);
    unsigned queue = item->bits & ITEM_QUEUE;

    if (item->queue_newer)
        page_item(&eviction->page, item->queue_newer)->queue_older = item->queue_older;
    else
        header->queue[queue].newest = item->queue_older;
    if (item->queue_older)
        page_item(&eviction->page, item->queue_older)->queue_newer = item->queue_newer;
    else
        header->queue[queue].oldest = item->queue_newer;
    header->queue[queue].bytes -= extent_bytes(&item->extent);
    item->bits &= (uint8_t)~ITEM_QUEUE;
}

void eviction_touch(struct eviction *eviction, segment_ref ref)
{
    struct segment_item *item = page_item(&eviction->page, ref);
    if ((item->bits & ITEM_FREQUENCY) != ITEM_FREQUENCY)
        item->bits = (uint8_t)(item->bits + ITEM_FREQUENCY_ONE);
}

static void move(struct eviction *eviction, segment_ref ref, unsigned frequency)
{
    struct segment_item *item = page_item(&eviction->page, ref);
    eviction_remove(eviction, ref);
    item->bits = (uint8_t)((item->bits & ~ITEM_FREQUENCY) | frequency * ITEM_FREQUENCY_ONE);
    push(eviction, ref, SEGMENT_MAIN);
}

segment_ref eviction_victim(struct eviction *eviction)
{
    const struct segment_header *header = eviction->page.header;
    uint64_t heap = (uint64_t)(header->heap_end - header->heap_at) * SEGMENT_UNIT;
    for (unsigned moves = 0;; moves++) {
        bool small = header->queue[SEGMENT_SMALL].oldest &&
                     (header->queue[SEGMENT_SMALL].bytes > heap / SMALL_SHARE ||
                      !header->queue[SEGMENT_MAIN].oldest);
        segment_ref ref = header->queue[small ? SEGMENT_SMALL : SEGMENT_MAIN].oldest;
        if (!ref)
            return 0;
        unsigned frequency =
            (page_item(&eviction->page, ref)->bits & ITEM_FREQUENCY) / ITEM_FREQUENCY_ONE;
        if (frequency == 0 || moves == MOVES_MAX)
            return ref;
        move(eviction, ref, small ? 0 : frequency - 1);
    }
}
