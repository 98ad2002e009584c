// What "redis" says under "cachesvc": the Redis behind the cache.
#ifndef GW_COMMON_REDIS_CONFIG_H
#define GW_COMMON_REDIS_CONFIG_H

#include "common/keytable.h"

struct redis_config {
    struct key_given given;
    char *host;     // a name, an IP address or "unix:/absolute/path"; NULL: no Redis
    int64_t port;   // means nothing with unix:
    char *username; // NULL: the user `default`
    char *password; // NULL: none; never shown
    int64_t database;
    char *prefix;        // of every key; may be empty
    int64_t deadline_ms; // of a command
    int64_t queue_bytes; // what is remembered for a Redis that is away
    bool critical;       // without it no gateway worker is ready
};

extern const struct key_table redis_config_table;

// Takes what the file did not say from REDIS_HOST, REDIS_PORT and REDIS_PASSWORD, as far as
// `lookup` has them and they are not empty. `false` and an empty host in the file are final: there
// is no Redis then, and without one the variables are not looked at further. Call it once, after
// the table has filled the config, which stays valid for keytable_clear. -1 with a sentence that
// names the variable, not the value of a secret one.
int redis_config_add_environment(struct redis_config *config,
                                 const char *(*lookup)(const char *name),
                                 struct err *err) GW_MUST_USE;

// Whether there is a Redis at all.
bool redis_config_is_on(const struct redis_config *config);

#endif
