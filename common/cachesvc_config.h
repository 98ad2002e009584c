// What an ecosystem file says under "cachesvc": the size of the cache, and the Redis behind it;
// its process keys are those of an app (app_config.h).
#ifndef GW_COMMON_CACHESVC_CONFIG_H
#define GW_COMMON_CACHESVC_CONFIG_H

#include "common/app_config.h"
#include "common/redis_config.h"

struct cachesvc_config {
    struct app_config process;
    int64_t memory_bytes; // of the segment, all in all
    struct redis_config redis;
};

extern const struct key_table cachesvc_config_table;

#endif
