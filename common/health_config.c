// The rows of "health", which are those of "ready" where they mean the same.

#include "common/health_config.h"

#define HEALTH(field) offsetof(struct health_config, field)
#define HOUR_MS INT64_C(3600000)

static const struct key keys[] = {
    {"http", KEY_STRING, HEALTH(http), .min = 1, .max = 1024, .flags = KEY_RESTART,
     .help = "A path: healthy when GET on the process's port answers 2xx or 3xx."},
    {"tcp", KEY_BOOL, HEALTH(tcp), .flags = KEY_RESTART,
     .help = "Healthy when the process's port accepts a connection."},
    {"exec", KEY_STRING, HEALTH(exec), .min = 1, .max = 4096, .flags = KEY_RESTART,
     .help = "Healthy when this shell command exits 0."},
    {"interval", KEY_DURATION, HEALTH(interval_ms), .min = 1, .max = HOUR_MS, .fallback = "10s",
     .flags = KEY_RESTART, .help = "From one verdict to the next try."},
    {"timeout", KEY_DURATION, HEALTH(timeout_ms), .min = 1, .max = HOUR_MS, .fallback = "5s",
     .flags = KEY_RESTART, .help = "A try that takes longer has failed."},
    {"failures", KEY_INTEGER, HEALTH(failures), .min = 1, .max = 1000, .fallback = "3",
     .flags = KEY_RESTART, .help = "Failed tries in a row after which it is restarted."},
    {"start_delay", KEY_DURATION, HEALTH(start_delay_ms), .min = 0, .max = HOUR_MS, .fallback = "0",
     .flags = KEY_RESTART, .help = "How long it is left alone after it was ready."},
    {0},
};

bool health_config_is_on(const struct health_config *config)
{
    return config->http || config->tcp || config->exec;
}

static void check(void *object, const char *path, struct config_errors *errors)
{
    const struct health_config *config = object;
    int ways = (config->http != NULL) + config->tcp + (config->exec != NULL);
    (void)path;
    if (config->http && config->http[0] != '/')
        config_errors_add_key(errors, "http", "\"%s\" does not begin with \"/\"", config->http);
    if (ways == 0)
        config_errors_add_key(errors, NULL, "needs one of \"http\", \"tcp\" and \"exec\"");
    else if (ways > 1)
        config_errors_add_key(errors, NULL, "only one of \"http\", \"tcp\" and \"exec\"");
}

const struct key_table health_config_table = {
    .noun = "health", .keys = keys, .size = sizeof(struct health_config), .check = check};
