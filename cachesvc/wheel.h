// When items expire: a hierarchical timing wheel in the page (Varghese and Lauck). A tick is 1.024
// s; a slot of level n spans 64 to the power of n ticks. An item moves down a level when its slot's
// time comes, at most three times in its life, and expires out of level 0.
//
// It gives memory back only: whoever looks at an item compares the time himself.
#ifndef GW_CACHESVC_WHEEL_H
#define GW_CACHESVC_WHEEL_H

#include "page.h"

// Before the first item; and anew with no item in it.
void wheel_format(const struct page *page, uint64_t now_ms);

// Puts the item in (expires_ms is not 0), takes it out. An item without expires_ms is in none.
void wheel_add(const struct page *page, segment_ref ref);
void wheel_remove(const struct page *page, segment_ref ref);

// Goes on towards now, with at most `budget` items moved or expired: calls expire for each that is
// due, which has to take it out. Returns whether there is more to do at once.
bool wheel_advance(const struct page *page, uint64_t now_ms, unsigned budget,
                   void (*expire)(void *context, segment_ref ref), void *context);

#endif
