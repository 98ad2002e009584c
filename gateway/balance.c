// Round robin over a set of endpoints.
//
// Not its job: what an endpoint is, and what makes one unfit; the caller keeps the set and says by
// a mask which ones it does not want. Pure: the counter is the caller's (one for each worker and
// upstream; workers do not share it).
#include "balance.h"

void balance_mask_add(struct balance_mask *mask, size_t endpoint)
{
    if (endpoint < BALANCE_MAX_ENDPOINTS)
        mask->words[endpoint / 64] |= UINT64_C(1) << endpoint % 64;
}

bool balance_mask_has(const struct balance_mask *mask, size_t endpoint)
{
    return endpoint < BALANCE_MAX_ENDPOINTS &&
           (mask->words[endpoint / 64] >> endpoint % 64 & 1) != 0;
}

size_t balance_round_robin(size_t count, size_t *next, const struct balance_mask *except)
{
    if (count > BALANCE_MAX_ENDPOINTS)
        count = BALANCE_MAX_ENDPOINTS;
    size_t at = *next < count ? *next : 0;
    for (size_t tries = 0; tries < count; ++tries) {
        size_t following = at + 1 < count ? at + 1 : 0;
        if (except == NULL || !balance_mask_has(except, at)) {
            *next = following;
            return at;
        }
        at = following;
    }
    return BALANCE_NONE;
}
