// The worker's share of the cache, and the commands it sends. What a request makes of it: cached.c.
#include "cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"

void cache_init(struct cache *cache, uv_loop_t *loop)
{
    *cache = (struct cache){.fd = -1, .flights = flights_new(), .reply_ms = CACHE_REPLY_MS};
    h2o_timeout_init(loop, &cache->poll, CACHE_POLL_MS);
}

// Nobody is in the middle of a look: each is one call. Who waits for an answer looks again, and
// finds nothing.
static void on_link_open(void *context)
{
    struct cache *cache = context;
    struct err err;
    if (cache->segment.base != NULL && segment_recheck(&cache->segment, &err) != 0)
        segment_unmap(&cache->segment);
    if (cache->segment.base == NULL && segment_map(&cache->segment, cache->fd, &err) != 0)
        log_warn("cache: %s; doing without it", err.text);
}

void cache_open(struct cache *cache, uv_loop_t *loop, int fd, const char *socket_path)
{
    cache->fd = fd;
    cache->link = cache_link_open(loop, "cache", socket_path, on_link_open, cache);
    cache->slow_link = cache_link_open(loop, "cache (questions)", socket_path, NULL, NULL);
}

void cache_close(struct cache *cache)
{
    cache_link_close(cache->link);
    cache_link_close(cache->slow_link);
    cache->link = cache->slow_link = NULL;
}

void cache_fini(struct cache *cache, uv_loop_t *loop)
{
    h2o_timeout_dispose(loop, &cache->poll);
    segment_unmap(&cache->segment);
    flights_free(cache->flights);
    cache->flights = NULL;
}

static struct span number_span(char *text, size_t size, uint64_t number)
{
    int length = snprintf(text, size, "%" PRIu64, number);
    return (struct span){text, (size_t)length};
}

void cache_store(struct cache *cache, struct span key, struct span value, uint64_t ttl_ms,
                 const struct span *tags, size_t tag_count)
{
    enum { FIXED = 7 };
    char ttl[24], count[24];
    if (cache->link == NULL)
        return;
    struct span *words = mem_alloc((FIXED + tag_count) * sizeof(*words));
    words[0] = SPAN("CACHE.SET");
    words[1] = key;
    words[2] = value;
    words[3] = SPAN("PX");
    words[4] = number_span(ttl, sizeof(ttl), ttl_ms);
    words[5] = SPAN("TAGS");
    words[6] = number_span(count, sizeof(count), tag_count);
    if (tag_count > 0)
        memcpy(words + FIXED, tags, tag_count * sizeof(*tags));
    (void)cache_link_tell(cache->link, words, tag_count > 0 ? FIXED + tag_count : 5);
    free(words);
}

void cache_make_token(struct cache *cache, char token[CACHE_TOKEN_SIZE])
{
    snprintf(token, CACHE_TOKEN_SIZE, "%d-%" PRIu64, (int)getpid(), ++cache->tokens);
}
