// The mark of a key is "purged:<32 hex>" with the time, in milliseconds, as its value. The key is
// hashed, since with the prefix it might be longer than a key may be.
//
// All workers are on one machine and have one clock; machines that share a Redis need clocks that
// agree. A purge within the very millisecond in which a
// fetch began counts as later than that: storing nothing is never wrong.
#include "purge_mark.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "cache.h"
#include "common/clock.h"
#include "common/stored_form.h"
#include "grammar.h"

enum {
    MARK_LIFE_MS = 600000, // longer than fetches take
    MARK_KEY_SIZE = 40,
    MARK_VALUE_SIZE = 24
};

static struct span write_key(struct span key, char text[MARK_KEY_SIZE])
{
    XXH128_hash_t hash = XXH3_128bits(key.bytes, key.length);
    int length = snprintf(text, MARK_KEY_SIZE, STORED_PURGED_PREFIX "%016" PRIx64 "%016" PRIx64,
                          hash.high64, hash.low64);
    return (struct span){text, (size_t)length};
}

void purge_mark_send(struct cache *cache, struct span key, uint64_t now_ms)
{
    char text[MARK_KEY_SIZE], time[MARK_VALUE_SIZE];
    int length = snprintf(time, sizeof(time), "%" PRIu64, now_ms);
    cache_store(cache, write_key(key, text), (struct span){time, (size_t)length}, MARK_LIFE_MS,
                NULL, 0);
}

static void *allocate(void *context, size_t length)
{
    return length <= MARK_VALUE_SIZE ? context : NULL;
}

bool purge_mark_is_since(const struct cache *cache, struct span key, uint64_t since_ms)
{
    char text[MARK_KEY_SIZE], value[MARK_VALUE_SIZE];
    struct segment_found found;
    uint64_t purged_ms;
    struct span mark = write_key(key, text);
    return segment_get(&cache->segment, mark.bytes, mark.length, clock_wall_ms(), allocate, value,
                       &found) == SEGMENT_HIT &&
           grammar_decimal((struct span){found.value, found.length}, &purged_ms) &&
           purged_ms >= since_ms;
}
