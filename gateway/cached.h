// The response cache's part in one request (mode ttl): an answer from the segment; or one fetch for
// all that ask for the same, whose answer is stored; or nothing of it.
//
//   LOOKING --hit--> answered
//      | miss, and the answer may be stored
//      +--> LEADING this worker, until it is its turn among all of them (turn.h)
//      |       | found meanwhile: by another worker, or in Redis --> answered, land
//      |       +--> FETCHING --whole answer stored--> land
//      |               +-- not storable --> land, "pass" is stored
//      +--> QUEUED behind another request of this worker, then looking again
//
// Who has waited for `wait` goes alone; so does who finds "pass", or nothing where it was told to
// look. A leader whose client leaves gives its place to who waits longest.
#ifndef GW_GATEWAY_CACHED_H
#define GW_GATEWAY_CACHED_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

struct buf;
struct cache_config;
struct cached;
struct exchange;
struct request_facts;
struct response_head;

// The request's part; in its memory, released by cached_dispose. `path` is normalised, not
// rewritten. The facts are copied, the bytes they point to stay borrowed.
struct cached *cached_new(struct exchange *exchange, const struct cache_config *config,
                          const struct request_facts *facts, struct span path);

// Appends the key under which the answer to such a request is stored to `key`, which is empty.
void cached_write_key(const struct cache_config *config, const struct request_facts *facts,
                      struct span path, struct buf *key);

// Answers from the segment. true: it did, and the request may be gone.
bool cached_answer(struct cached *cached);

// After a miss. true: the exchange waits, and goes on by itself (exchange_fetch, or an answer).
// false: it is to fetch now.
bool cached_wait(struct cached *cached);

// It has waited long enough: it goes alone.
void cached_go_alone(struct cached *cached);

// An answer of the upstream is passed on: its head, with X-Cache put into the client's answer; its
// body, piece by piece; its end. What is not complete ends by cached_dispose.
void cached_on_head(struct cached *cached, const struct response_head *head);
void cached_on_body(struct cached *cached, const char *bytes, size_t length);
void cached_on_complete(struct cached *cached);

// The fetch has failed for good: answers with what is stale. false: there is nothing, and whoever
// waits goes alone.
bool cached_answer_stale(struct cached *cached);

// What the client was told of the cache, "HIT" or so; empty: nothing.
const char *cached_word(const struct cached *cached);

// The request ends, for whatever reason. NULL is allowed.
void cached_dispose(struct cached *cached);

#endif
