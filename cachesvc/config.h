// Where the cache's configuration comes from: the document that the supervisor sends, or, by hand,
// the environment.
#ifndef GW_CACHESVC_CONFIG_H
#define GW_CACHESVC_CONFIG_H

#include "common/cachesvc_config.h"
#include "common/err.h"

struct ecosystem;
struct json_object;

// All zero before one of the two.
struct config {
    struct ecosystem *ecosystem; // NULL by hand
    struct redis_config by_hand;
    const struct redis_config *redis; // of either; NULL: no Redis
};

// The document is borrowed, and may be NULL. -1: everything wrong with it is logged, a line each.
int config_from_document(struct config *config, struct json_object *document,
                         struct err *err) GW_MUST_USE;

// REDIS_HOST, REDIS_PORT, REDIS_PASSWORD.
int config_by_hand(struct config *config, struct err *err) GW_MUST_USE;

void config_clear(struct config *config);

#endif
