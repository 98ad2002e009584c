// What "cache" says, of the gateway or of a route: which answers are stored, for how long, and what
// tells them apart.
#ifndef GW_COMMON_CACHE_CONFIG_H
#define GW_COMMON_CACHE_CONFIG_H

#include "common/keytable.h"

enum cache_mode { CACHE_MODE_TTL };

enum cache_query { CACHE_QUERY_ALL, CACHE_QUERY_NONE, CACHE_QUERY_ONLY, CACHE_QUERY_EXCEPT };

struct cache_query_config {
    enum cache_query choice;
    struct key_strings names; // of CACHE_QUERY_ONLY and CACHE_QUERY_EXCEPT
};

struct cache_key_config {
    struct key_given given;
    bool host;
    struct cache_query_config query;
    bool sort_query;
    struct key_strings headers; // names
    struct key_strings cookies; // names
    bool user;
};

// What forbids to store an answer, unless it is ignored; bits.
enum cache_veto {
    CACHE_VETO_PRIVATE = 1,
    CACHE_VETO_NO_STORE = 2,
    CACHE_VETO_SET_COOKIE = 4,
    CACHE_VETO_AUTHORIZATION = 8,
};

struct cache_config {
    struct key_given given;
    int mode; // enum cache_mode
    int64_t ttl_ms;
    struct cache_key_config key;
    struct key_array skip; // struct match_config
    struct key_strings tags;
    bool debug;
    unsigned ignore; // enum cache_veto
    int64_t max_size_bytes;
    int64_t keep_stale_ms;
    int64_t hit_for_miss_ms;
    int64_t wait_ms;
};

// The gateway's has more keys than a route's.
struct gateway_cache_config {
    struct cache_config answers;
    struct key_strings warm; // URLs (warm_url.h)
    int64_t warm_timeout_ms;
};

extern const struct key_table cache_config_table;
extern const struct key_table gateway_cache_config_table;

// What holds for a route, given what was said about it and about the gateway: the gateway's keys
// with the route's in place of them. Returns false when nothing is cached. *effective borrows from
// both: never clear it.
bool cache_config_merge(const struct cache_config *gateway, const struct cache_config *route,
                        struct cache_config *effective);

#endif
