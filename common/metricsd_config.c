// The keys of the metrics sidecar: those of a process, and no others.

#include "common/metricsd_config.h"

#include "common/config_errors.h"

static void check_metricsd(void *object, const char *path, struct config_errors *errors)
{
    struct metricsd_config *metricsd = object;
    (void)path;
    if (metricsd->process.instances != 1)
        config_errors_add_key(errors, "instances", "one process has all the numbers: 1");
    app_config_says_ready(&metricsd->process);
}

static const struct key metricsd_keys[] = {{0}};

const struct key_table metricsd_config_table = {.noun = "metricsd",
                                                .keys = metricsd_keys,
                                                .size = sizeof(struct metricsd_config),
                                                .base_keys = app_config_sidecar_keys,
                                                .check = check_metricsd};
