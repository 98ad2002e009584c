// What a worker has of the response cache: the segment to read, the link to cachesvc, and its
// flights. Without a segment there is no cache, and without a link none is filled.
#ifndef GW_GATEWAY_CACHE_H
#define GW_GATEWAY_CACHE_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "cache_link.h"
#include "common/buf.h"
#include "common/segment.h"
#include "flights.h"
#include "span.h"

struct state_column;

struct cache {
    int fd;                  // of the segment, borrowed; -1: there is none
    struct segment segment;  // base NULL: not mapped, or of another version of cachesvc
    struct cache_link *link; // NULL: there is none
    // The same for questions that cachesvc may have to pass on to Redis: on the other one they
    // would hold up locks and stores.
    struct cache_link *slow_link;
    struct flights *flights;
    h2o_timeout_t poll; // CACHE_POLL_MS
    uint32_t reply_ms;  // CACHE_REPLY_MS: longer no request waits for a reply of cachesvc
    uint64_t tokens;    // for locks; each once in the life of this process
};

// A cache that is not there, until cache_open.
void cache_init(struct cache *cache, uv_loop_t *loop);

// fd: of the segment, borrowed. It is mapped as soon as cachesvc answers.
void cache_open(struct cache *cache, uv_loop_t *loop, int fd, const char *socket_path);

// Ends what waits for cachesvc. Flights may go on.
void cache_close(struct cache *cache);

// Nobody may lead a flight any more.
void cache_fini(struct cache *cache, uv_loop_t *loop);

// Stores a value for `ttl_ms` under a key, with tags; who waits for nothing.
void cache_store(struct cache *cache, struct span key, struct span value, uint64_t ttl_ms,
                 const struct span *tags, size_t tag_count);

enum { CACHE_TOKEN_SIZE = 40, CACHE_POLL_MS = 5, CACHE_REPLY_MS = 5 };

// A token for a lock, NUL-terminated.
void cache_make_token(struct cache *cache, char token[CACHE_TOKEN_SIZE]);

#endif
