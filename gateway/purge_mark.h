// Marks in the cache that say when a key was purged. Who was fetching at that time has an answer
// from before the purge, and must not store it after it: hits would bring back what was removed.
#ifndef GW_GATEWAY_PURGE_MARK_H
#define GW_GATEWAY_PURGE_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

struct cache;

// Leaves one for the key. Nobody waits for it; but a command that is sent behind it is done later.
void purge_mark_send(struct cache *cache, struct span key, uint64_t now_ms);

// Was the key purged at this time or later (clock_wall_ms)? Asks the segment, and nobody.
bool purge_mark_is_since(const struct cache *cache, struct span key, uint64_t since_ms);

#endif
