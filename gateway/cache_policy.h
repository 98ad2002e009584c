// What may be answered from the cache and what may be stored in it, in mode ttl: what the
// configuration says and not what the client wishes. The time is a parameter.
#ifndef GW_GATEWAY_CACHE_POLICY_H
#define GW_GATEWAY_CACHE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "span.h"

struct cache_config;
struct match_subject;

enum cache_reason {
    CACHE_MAY = 0,
    // of requests
    CACHE_METHOD,
    CACHE_HEAD,
    CACHE_SKIPPED,
    CACHE_HAS_BODY,
    CACHE_RANGE,
    CACHE_AUTHORIZATION,
    // of answers
    CACHE_STATUS,
    CACHE_NO_STORE,
    CACHE_PRIVATE,
    CACHE_SET_COOKIE,
    CACHE_VARY_ALL,
    CACHE_TOO_LARGE,
    CACHE_INCOMPLETE,
};

// For logs and debugging: "the request has a body".
const char *cache_reason_text(enum cache_reason reason);

struct cache_decision {
    bool may_look_up;         // a stored answer may be given
    bool may_store;           // the answer may be stored, if it says so too
    enum cache_reason reason; // why one of them is not so
};

// What a request may.
struct cache_decision cache_policy_request(const struct cache_config *config,
                                           const struct match_subject *subject, bool has_body);

// Whether the head of a final answer, to a request that may store, lets it be stored.
// content_length: RESPONSE_LENGTH_UNKNOWN when not told.
enum cache_reason cache_policy_response(const struct cache_config *config, int status,
                                        const struct field *fields, size_t count,
                                        uint64_t content_length);

// The same once more for its body: `length` bytes so far. At its end, is_complete says whether it
// came whole; before that it is true.
enum cache_reason cache_policy_body(const struct cache_config *config, uint64_t length,
                                    bool is_complete);

enum cache_freshness {
    FRESHNESS_FRESH,
    FRESHNESS_STALE,   // within keep_stale
    FRESHNESS_EXPIRED, // is not there any more
};

// Times are those of the wall clock. A clock that was set back makes nothing older.
enum cache_freshness cache_policy_freshness(uint64_t stored_at_ms, uint64_t ttl_ms,
                                            uint64_t keep_stale_ms, uint64_t now_ms);

#define CACHE_AGE_MAX UINT32_C(2147483648) // what is older is this old

// The age in seconds that an answer had when it came, from its Age field; 0 without a valid one.
uint32_t cache_policy_initial_age(const struct field *fields, size_t count);

// Its age in seconds now, for Age.
uint32_t cache_policy_age(uint32_t initial_age_s, uint64_t stored_at_ms, uint64_t now_ms);

#endif
