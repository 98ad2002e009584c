// The slots are doubly linked lists; the first item of one has the slot's number in place of an
// item before it, so that it can be taken out without knowing where it is.

#include "wheel.h"

#include <string.h>

enum {
    TICK_SHIFT = 10,
    LEVEL_SHIFT = 6,
    LAST_LEVEL = SEGMENT_WHEEL_LEVELS - 1,
    SLOT_MASK = SEGMENT_WHEEL_SLOTS - 1
};

void wheel_format(const struct page *page, uint64_t now_ms)
{
    memset(page->header->wheel, 0, sizeof page->header->wheel);
    page->header->wheel_tick = now_ms >> TICK_SHIFT;
}

static uint32_t slot_for(uint64_t now, uint64_t tick)
{
    unsigned level = 0;
    if (tick < now)
        tick = now; // is due: the slot that is looked at next
    // Beyond the last level's horizon: its furthest slot, and then again.
    if ((tick - now) >> (LEVEL_SHIFT * SEGMENT_WHEEL_LEVELS))
        tick = now + (UINT64_C(1) << (LEVEL_SHIFT * SEGMENT_WHEEL_LEVELS)) - 1;
    while (level < LAST_LEVEL && (tick - now) >> (LEVEL_SHIFT * (level + 1)))
        level++;
    return level * SEGMENT_WHEEL_SLOTS + (tick >> (LEVEL_SHIFT * level) & SLOT_MASK);
}

void wheel_add(const struct page *page, segment_ref ref)
{
    struct segment_item *item = page_item(page, ref);
    uint32_t slot = slot_for(page->header->wheel_tick, item->expires_ms >> TICK_SHIFT);
    segment_ref *head = &page->header->wheel[slot];

    item->wheel_before = WHEEL_HEAD | slot;
    item->wheel_after = *head;
    if (*head)
        page_item(page, *head)->wheel_before = ref;
    *head = ref;
}

void wheel_remove(const struct page *page, segment_ref ref)
{
    struct segment_item *item = page_item(page, ref);
    if (item->expires_ms == 0)
        return;
    if (item->wheel_before & WHEEL_HEAD)
        page->header->wheel[item->wheel_before & ~WHEEL_HEAD] = item->wheel_after;
    else
        page_item(page, item->wheel_before)->wheel_after = item->wheel_after;
    if (item->wheel_after)
        page_item(page, item->wheel_after)->wheel_before = item->wheel_before;
}

// The slot of a higher level whose time has come at this tick: its items go down. Level 1 first:
// what comes down from level 2 may be due in it later only.
static bool cascade(const struct page *page, unsigned *budget)
{
    uint64_t tick = page->header->wheel_tick;
    for (unsigned level = 1; level < SEGMENT_WHEEL_LEVELS; level++) {
        if (tick & ((UINT64_C(1) << (LEVEL_SHIFT * level)) - 1))
            return true;
        segment_ref *head =
            &page->header
                 ->wheel[level * SEGMENT_WHEEL_SLOTS + (tick >> (LEVEL_SHIFT * level) & SLOT_MASK)];
        // One beyond the horizon would come back into this very slot: it stays for the next round.
        for (segment_ref ref = *head, next; ref; ref = next) {
            next = page_item(page, ref)->wheel_after;
            if (*budget == 0)
                return false;
            --*budget;
            wheel_remove(page, ref);
            wheel_add(page, ref);
        }
    }
    return true;
}

bool wheel_advance(const struct page *page, uint64_t now_ms, unsigned budget,
                   void (*expire)(void *context, segment_ref ref), void *context)
{
    struct segment_header *header = page->header;
    while (header->wheel_tick < now_ms >> TICK_SHIFT) {
        segment_ref ref;
        if (!cascade(page, &budget))
            return true;
        while ((ref = header->wheel[header->wheel_tick & SLOT_MASK]) != 0) {
            if (budget == 0)
                return true;
            budget--;
            expire(context, ref);
        }
        header->wheel_tick++;
    }
    return false;
}
