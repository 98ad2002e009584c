// Whose turn it is to fetch an answer that is not stored, among all workers: that of whoever has
// the lock of its key at cachesvc. The others look at the segment every few ms, and now and then
// for the lock. With a Redis behind cachesvc whoever has the lock asks for what is missing first:
// what is in Redis is in the segment when cachesvc replies that it exists.
//
//   LOCKING --1--> LOOK --nothing--> ASKING --0, no reply, or no Redis--> FETCH
//      | 0 ^          ^                 | 1
//      v   |          +-----------------+ for the key, and for that of a variant, once each
//   POLLING now and then
//      |   ^
//      +---+--> LOOK --nothing--> POLLING, until the time is over: ALONE
//
// Words in capitals that are not states are news for the owner, who looks and fetches.
#ifndef GW_GATEWAY_TURN_H
#define GW_GATEWAY_TURN_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "cache.h"
#include "span.h"

struct cache_call;
struct server;

enum turn_news {
    TURN_LOOK,  // somebody may have stored it: look, and turn_go_on when there is nothing
    TURN_FETCH, // it is our turn, or cachesvc does not say whose
    TURN_ALONE, // it is somebody else's, and took too long
};

struct turn {
    // Set before turn_begin, the rest zero.
    struct server *server;
    struct span key;   // borrowed
    int64_t lock_ms;   // how long the lock is ours at most
    uint64_t until_ms; // nobody waits for somebody else beyond this; uv_now
    void (*on_news)(struct turn *turn, enum turn_news news); // the turn may be gone after it

    char token[CACHE_TOKEN_SIZE]; // of our lock; "": we have none
    bool is_ours;
    bool asked_key, asked_variant;
    struct cache_call *call; // for the lock, or what is missing
    uint64_t called_at_ms;   // uv_now
    bool has_waited;         // so long that it was counted
    h2o_timeout_entry_t poll;
    unsigned polls, unanswered;
};

// true: news will come, from the loop. false: there is no cachesvc to ask, and it is our turn.
bool turn_begin(struct turn *turn);

// After TURN_LOOK: there was nothing of use, and under the key `missing` nothing at all (copied; it
// is the turn's, or that of a variant; empty: there is something). News may come from within this
// call.
void turn_go_on(struct turn *turn, struct span missing);

// No news will come, and the lock is given back. For one that did not begin, too.
void turn_end(struct turn *turn);

#endif
