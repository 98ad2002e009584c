// The last part of a flight: its answer was sent to cachesvc, and who waits for it can look when it
// is there. The request that fetched it may be gone by then.
#ifndef GW_GATEWAY_LANDING_H
#define GW_GATEWAY_LANDING_H

#include <stdint.h>

#include "span.h"

struct cache;
struct flight;

// Gives the lock of `key` back (`token`; copied both) and lands the flight, which it takes, when
// that was replied, or after a second without a reply. Removes the answer again if the key was
// purged after `asked_at_ms`, when the upstream was asked.
void landing_begin(struct cache *cache, struct flight *flight, struct span key, struct span token,
                   uint64_t asked_at_ms);

#endif
