// Which item goes when there is no room: S3-FIFO (Yang et al., "FIFO queues are all you need for
// cache eviction", SOSP 2023). New keys enter a small queue, a tenth of the memory; one that is
// touched there moves to the main queue, the others go and are remembered by their hash: a key that
// comes back while it is remembered enters the main queue at once. The main queue gives an item one
// more round for each touch, at most three.
#ifndef GW_CACHESVC_EVICTION_H
#define GW_CACHESVC_EVICTION_H

#include "page.h"

struct eviction;

struct eviction *eviction_new(const struct page *page);
void eviction_free(struct eviction *eviction);

// A new item enters a queue; an item leaves its queue.
void eviction_add(struct eviction *eviction, segment_ref ref);
void eviction_remove(struct eviction *eviction, segment_ref ref);

// The item was read.
void eviction_touch(struct eviction *eviction, segment_ref ref);

// The item that should go next, still in its queue; 0: there is none. The caller removes it, and
// says so by eviction_remember before.
segment_ref eviction_victim(struct eviction *eviction);
void eviction_remember(struct eviction *eviction, segment_ref ref);

#endif
