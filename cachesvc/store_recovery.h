// Mending the page of a writer that died in the middle of a change. Private to the store's files.
// (store_is_sound, of store.h, is here too.)
#ifndef GW_CACHESVC_STORE_RECOVERY_H
#define GW_CACHESVC_STORE_RECOVERY_H

#include "store.h"

// Rebuilds heap, queues, wheel and sums from the buckets, and ends the change. -1: the extents do
// not tile the heap.
int store_recover(struct store *store, uint64_t now_ms, struct err *err) GW_MUST_USE;

#endif
