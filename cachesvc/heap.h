// The heap of the segment: extents that tile it without a gap, free ones in lists by size.
//
// Good fit: the first extent of the first list whose extents are all large enough, after a few of
// the list in which some may be. Neighbours that are free become one at once.
//
// At every moment, also if the process is killed at it, the sizes of the extents tile the heap; the
// lists, and what is said about free neighbours, may be wrong then (heap_rebuild).
#ifndef GW_CACHESVC_HEAP_H
#define GW_CACHESVC_HEAP_H

#include "page.h"

enum {
    HEAP_MIN_UNITS = 4,   // the smallest extent
    HEAP_PIECE_UNITS = 64 // the smallest free extent that a large value is put into
};

struct heap {
    struct page page;
    uint64_t lists[SEGMENT_CLASSES / 64]; // which are not empty
    uint64_t piece_units;                 // free, in extents of HEAP_PIECE_UNITS and more
};

// A heap without any extent: one free one.
void heap_format(struct heap *heap, const struct page *page);

// Takes up an intact heap, as the header describes it.
void heap_open(struct heap *heap, const struct page *page);

// An extent of `units` or a little more, used; 0: there is none.
segment_ref heap_take(struct heap *heap, uint32_t units);

// The largest free extent or `units` of it, at least HEAP_PIECE_UNITS; 0: there is none.
segment_ref heap_take_piece(struct heap *heap, uint32_t units);

void heap_give(struct heap *heap, segment_ref ref);

// Tiles the heap anew: what `is_used` says of an extent that is marked as used decides. -1: the
// sizes do not tile it.
int heap_rebuild(struct heap *heap, const struct page *page,
                 bool (*is_used)(void *context, segment_ref ref), void *context) GW_MUST_USE;

// For tests: whether tiles, lists and sums agree.
bool heap_is_sound(const struct heap *heap);

#endif
