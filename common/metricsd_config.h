// What an ecosystem file says under "metricsd": its process keys are those of an app
// (app_config.h).
#ifndef GW_COMMON_METRICSD_CONFIG_H
#define GW_COMMON_METRICSD_CONFIG_H

#include "common/app_config.h"

struct metricsd_config {
    struct app_config process;
};

extern const struct key_table metricsd_config_table;

#endif
