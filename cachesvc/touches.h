// What gateway workers have read from the segment, without asking us: they leave the hashes in
// their columns of the state page. Eviction wants to know.
#ifndef GW_CACHESVC_TOUCHES_H
#define GW_CACHESVC_TOUCHES_H

#include "common/state_page.h"
#include "store.h"

struct touches {
    const struct state_page *page; // NULL: there is none
    uint32_t seen[STATE_COLUMNS];
};

// Tells the store what was read since the last call, as far as it is still known.
void touches_take(struct touches *touches, struct store *store);

#endif
