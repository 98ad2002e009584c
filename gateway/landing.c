// Commands to cachesvc are done in the order they were sent: when the end of the lock was replied,
// the answer is stored.
//
// Why it looks for a purge again, after cached.c did before it sent the answer: the purge may have
// been done between the two. Its mark was written before its removal, so what was stored behind the
// removal finds the mark here.
#include "landing.h"

#include <stdlib.h>

#include "cache.h"
#include "common/mem.h"
#include "purge_mark.h"

enum { LANDING_MS = 1000 }; // for each reply

struct landing {
    struct cache *cache;
    struct flight *flight;
    struct buf key;
    uint64_t asked_at_ms;
};

static void end(struct landing *landing)
{
    flight_land(landing->flight);
    buf_free(&landing->key);
    free(landing);
}

static void on_removed(void *context, bool replied, int64_t number)
{
    (void)replied;
    (void)number;
    end(context);
}

static bool remove_again(struct landing *landing)
{
    struct span words[] = {SPAN("DEL"), {landing->key.data, landing->key.length}};
    return cache_link_call(landing->cache->link, words, 2, LANDING_MS, on_removed, landing) != NULL;
}

static void on_stored(void *context, bool replied, int64_t number)
{
    struct landing *landing = context;
    struct span key = {landing->key.data, landing->key.length};
    (void)number;
    if (!replied || !purge_mark_is_since(landing->cache, key, landing->asked_at_ms) ||
        !remove_again(landing))
        end(landing);
}

void landing_begin(struct cache *cache, struct flight *flight, struct span key, struct span token,
                   uint64_t asked_at_ms)
{
    struct landing *landing = mem_zalloc(1, sizeof(*landing));
    struct span words[] = {SPAN("CACHE.UNLOCK"), key, token};
    *landing = (struct landing){.cache = cache, .flight = flight, .asked_at_ms = asked_at_ms};
    buf_append(&landing->key, key.bytes, key.length);
    if (cache->link == NULL ||
        cache_link_call(cache->link, words, 3, LANDING_MS, on_stored, landing) == NULL)
        end(landing);
}
