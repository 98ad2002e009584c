// Picks the endpoint of an upstream for a request.
#ifndef GW_GATEWAY_BALANCE_H
#define GW_GATEWAY_BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BALANCE_MAX_ENDPOINTS = 512 };

#define BALANCE_NONE SIZE_MAX

// The endpoints that must not be picked: those that this request tried already, those that are
// down. Zero-initialise.
struct balance_mask {
    uint64_t words[BALANCE_MAX_ENDPOINTS / 64];
};

void balance_mask_add(struct balance_mask *mask, size_t endpoint); // beyond the maximum: ignored
bool balance_mask_has(const struct balance_mask *mask, size_t endpoint);

// Round robin: the first endpoint of `count` at or after *next that is not in the mask; *next
// becomes the one behind it. BALANCE_NONE when there is none. `except` may be NULL. *next may be
// any number (endpoint sets shrink). Endpoints beyond the maximum are never picked.
size_t balance_round_robin(size_t count, size_t *next, const struct balance_mask *except);

#endif
