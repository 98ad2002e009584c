// The keys of the cache sidecar.

#include "common/cachesvc_config.h"

#include "common/config_errors.h"
#include "common/segment.h"

#define CACHESVC(field) offsetof(struct cachesvc_config, field)

static void check_cachesvc(void *object, const char *path, struct config_errors *errors)
{
    struct cachesvc_config *cachesvc = object;
    (void)path;
    if (cachesvc->process.instances != 1)
        config_errors_add_key(errors, "instances", "the cache has one writer: 1");
    app_config_says_ready(&cachesvc->process);
}

static const struct key cachesvc_keys[] = {
    {"memory", KEY_SIZE, CACHESVC(memory_bytes), .min = (int64_t)SEGMENT_SIZE_MIN,
     .max = (int64_t)SEGMENT_SIZE_MAX, .fallback = "256M", .flags = KEY_RESTART,
     .help = "How much memory the cache takes, keys and all else included."},
    {"redis", KEY_OBJECT, CACHESVC(redis), .table = &redis_config_table, .flags = KEY_RESTART,
     .help = "The Redis behind it."},
    {0},
};

const struct key_table cachesvc_config_table = {.noun = "cachesvc",
                                                .keys = cachesvc_keys,
                                                .size = sizeof(struct cachesvc_config),
                                                .base_keys = app_config_sidecar_keys,
                                                .check = check_cachesvc};
