// PURGE: what is stored for a URL is removed, at the wish of who has the operators' token.
#ifndef GW_GATEWAY_PURGE_H
#define GW_GATEWAY_PURGE_H

#include <stdbool.h>

#include "span.h"

struct cache_config;
struct exchange;
struct request_facts;

// Answers when the method is PURGE and the configuration has a token: then the request may be gone,
// or waits for cachesvc. `config` is the route's, NULL: it has no cache; `path` is normalised, not
// rewritten. false: the request is one like any other.
bool purge_answer(struct exchange *exchange, const struct cache_config *config,
                  const struct request_facts *facts, struct span path);

#endif
