// Extents and their lists. A free extent holds the links of its list behind its size, and its size
// again in its last four bytes, where the extent behind it finds it.

#include "heap.h"

#include <string.h>

enum { LINEAR = 64, LOOKS = 4 };

struct free_extent {
    struct segment_extent extent;
    segment_ref before, after; // in its list
};

static struct free_extent *free_at(const struct heap *heap, segment_ref ref)
{
    return page_at(&heap->page, ref);
}

static struct segment_extent *extent_at(const struct heap *heap, segment_ref ref)
{
    return page_at(&heap->page, ref);
}

static uint32_t size_of(const struct heap *heap, segment_ref ref)
{
    return extent_at(heap, ref)->size & EXTENT_SIZE;
}

static uint32_t *footer(const struct heap *heap, segment_ref end)
{
    return (uint32_t *)((char *)page_at(&heap->page, end) - sizeof(uint32_t));
}

// --- lists --------------------------------------------------------------------------------------

// Below LINEAR units one list a size, above two for each power of two.
static unsigned class_of(uint32_t units)
{
    if (units < LINEAR)
        return units;
    unsigned power = 31 - (unsigned)__builtin_clz(units);
    unsigned upper_half = units >> (power - 1) & 1;
    return LINEAR + (power - 6) * 2 + upper_half;
}

static bool list_is_empty(const struct heap *heap, unsigned list)
{
    return !(heap->lists[list / 64] >> (list % 64) & 1);
}

// The first list from `list` on that is not empty; SEGMENT_CLASSES: none.
static unsigned next_list(const struct heap *heap, unsigned list)
{
    for (unsigned word = list / 64; word < SEGMENT_CLASSES / 64; word++) {
        uint64_t bits = heap->lists[word];
        if (word == list / 64)
            bits &= ~UINT64_C(0) << (list % 64);
        if (bits)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return SEGMENT_CLASSES;
}

static void account(struct heap *heap, uint32_t units, int sign)
{
    int64_t change = (int64_t)units * sign;
    heap->page.header->free_bytes += (uint64_t)(change * SEGMENT_UNIT);
    if (units >= HEAP_PIECE_UNITS)
        heap->piece_units += (uint64_t)change;
}

static void list_add(struct heap *heap, segment_ref ref)
{
    uint32_t units = size_of(heap, ref);
    unsigned list = class_of(units);
    segment_ref *head = &heap->page.header->free[list];
    struct free_extent *extent = free_at(heap, ref);

    extent->before = 0;
    extent->after = *head;
    if (*head)
        free_at(heap, *head)->before = ref;
    *head = ref;
    heap->lists[list / 64] |= UINT64_C(1) << (list % 64);
    account(heap, units, 1);
}

static void list_remove(struct heap *heap, segment_ref ref)
{
    uint32_t units = size_of(heap, ref);
    unsigned list = class_of(units);
    segment_ref *head = &heap->page.header->free[list];
    const struct free_extent *extent = free_at(heap, ref);

    if (extent->before)
        free_at(heap, extent->before)->after = extent->after;
    else
        *head = extent->after;
    if (extent->after)
        free_at(heap, extent->after)->before = extent->before;
    if (!*head)
        heap->lists[list / 64] &= ~(UINT64_C(1) << (list % 64));
    account(heap, units, -1);
}

// --- extents ------------------------------------------------------------------------------------

static void say_after_free(struct heap *heap, segment_ref ref, bool is_free)
{
    if (ref >= heap->page.header->heap_end)
        return;
    struct segment_extent *extent = extent_at(heap, ref);
    extent->size = is_free ? extent->size | EXTENT_AFTER_FREE : extent->size & ~EXTENT_AFTER_FREE;
}

// Makes [ref, ref + units) a free extent in its list. The one before it is used.
static void add_free(struct heap *heap, segment_ref ref, uint32_t units)
{
    extent_at(heap, ref)->size = units;
    *footer(heap, ref + units) = units;
    say_after_free(heap, ref + units, true);
    list_add(heap, ref);
}

// Of a free extent: its first `units` become used, what is left stays free if it can be an extent.
static segment_ref use(struct heap *heap, segment_ref ref, uint32_t units)
{
    uint32_t size = size_of(heap, ref), rest = size - units;

    list_remove(heap, ref);
    extent_at(heap, ref)->size |= EXTENT_USED;
    if (rest < HEAP_MIN_UNITS) {
        say_after_free(heap, ref + size, false);
        return ref;
    }
    add_free(heap, ref + units, rest);
    page_order(); // the rest is an extent of its own before it stops to be part of this one
    extent_at(heap, ref)->size -= rest;
    return ref;
}

segment_ref heap_take(struct heap *heap, uint32_t units)
{
    if (units < HEAP_MIN_UNITS)
        units = HEAP_MIN_UNITS;
    if (units > EXTENT_SIZE)
        return 0;
    unsigned list = class_of(units);
    // In its own list some are large enough, in the next ones all.
    segment_ref ref = list_is_empty(heap, list) ? 0 : heap->page.header->free[list];
    for (int looks = 0; ref && looks < LOOKS; looks++, ref = free_at(heap, ref)->after) {
        if (size_of(heap, ref) >= units)
            return use(heap, ref, units);
    }
    list = list + 1 < SEGMENT_CLASSES ? next_list(heap, list + 1) : SEGMENT_CLASSES;
    return list < SEGMENT_CLASSES ? use(heap, heap->page.header->free[list], units) : 0;
}

segment_ref heap_take_piece(struct heap *heap, uint32_t units)
{
    segment_ref best = 0;
    for (unsigned list = next_list(heap, class_of(HEAP_PIECE_UNITS)); list < SEGMENT_CLASSES;
         list = list + 1 < SEGMENT_CLASSES ? next_list(heap, list + 1) : SEGMENT_CLASSES)
        best = heap->page.header->free[list];
    if (!best)
        return 0;
    if (units < HEAP_MIN_UNITS)
        units = HEAP_MIN_UNITS;
    uint32_t size = size_of(heap, best);
    return use(heap, best, size < units ? size : units);
}

void heap_give(struct heap *heap, segment_ref ref)
{
    uint32_t units = size_of(heap, ref);
    segment_ref end = ref + units;

    if (end < heap->page.header->heap_end && !(extent_at(heap, end)->size & EXTENT_USED)) {
        units += size_of(heap, end);
        list_remove(heap, end);
    }
    if (extent_at(heap, ref)->size & EXTENT_AFTER_FREE) {
        segment_ref before = ref - *footer(heap, ref);
        list_remove(heap, before);
        units += ref - before;
        ref = before;
    }
    add_free(heap, ref, units);
}

// --- as a whole ---------------------------------------------------------------------------------

void heap_format(struct heap *heap, const struct page *page)
{
    struct segment_header *header = page->header;
    *heap = (struct heap){.page = *page};
    memset(header->free, 0, sizeof header->free);
    header->free_bytes = 0;
    add_free(heap, header->heap_at, header->heap_end - header->heap_at);
}

void heap_open(struct heap *heap, const struct page *page)
{
    *heap = (struct heap){.page = *page};
    for (unsigned list = 0; list < SEGMENT_CLASSES; list++) {
        segment_ref ref = page->header->free[list];
        if (ref)
            heap->lists[list / 64] |= UINT64_C(1) << (list % 64);
        for (; ref && list >= class_of(HEAP_PIECE_UNITS); ref = free_at(heap, ref)->after)
            heap->piece_units += size_of(heap, ref);
    }
}

int heap_rebuild(struct heap *heap, const struct page *page,
                 bool (*is_used)(void *context, segment_ref ref), void *context)
{
    struct segment_header *header = page->header;
    segment_ref start = 0; // of the free stretch before ref; 0: none
    *heap = (struct heap){.page = *page};
    memset(header->free, 0, sizeof header->free);
    header->free_bytes = 0;
    for (segment_ref ref = header->heap_at, next; ref < header->heap_end; ref = next) {
        struct segment_extent *extent = extent_at(heap, ref);
        uint32_t units = extent->size & EXTENT_SIZE;
        next = ref + units;
        if (units < HEAP_MIN_UNITS || units > header->heap_end - ref)
            return -1;
        if (!(extent->size & EXTENT_USED) || !is_used(context, ref)) {
            start = start ? start : ref;
            continue;
        }
        extent->size &= ~EXTENT_AFTER_FREE;
        if (start)
            add_free(heap, start, ref - start);
        start = 0;
    }
    if (start)
        add_free(heap, start, header->heap_end - start);
    return 0;
}

static bool lists_hold(const struct heap *heap, uint64_t *units)
{
    for (unsigned list = 0; list < SEGMENT_CLASSES; list++) {
        segment_ref before = 0, ref = heap->page.header->free[list];
        if (list_is_empty(heap, list) != (ref == 0))
            return false;
        for (; ref; before = ref, ref = free_at(heap, ref)->after) {
            if (extent_at(heap, ref)->size & EXTENT_USED || class_of(size_of(heap, ref)) != list ||
                free_at(heap, ref)->before != before)
                return false;
            *units += size_of(heap, ref);
        }
    }
    return true;
}

bool heap_is_sound(const struct heap *heap)
{
    const struct segment_header *header = heap->page.header;
    uint64_t listed = 0, tiled = 0;
    bool after_free = false;
    for (segment_ref ref = header->heap_at; ref != header->heap_end; ref += size_of(heap, ref)) {
        uint32_t size = extent_at(heap, ref)->size;
        bool is_free = !(size & EXTENT_USED);
        if ((size & EXTENT_SIZE) < HEAP_MIN_UNITS ||
            (size & EXTENT_SIZE) > header->heap_end - ref ||
            !!(size & EXTENT_AFTER_FREE) != after_free || (is_free && after_free))
            return false;
        if (is_free)
            tiled += size_of(heap, ref);
        after_free = is_free;
    }
    return lists_hold(heap, &listed) && listed == tiled &&
           tiled * SEGMENT_UNIT == header->free_bytes;
}
