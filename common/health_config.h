// What "health" says under an app: how to see whether a process that is online still works.
#ifndef GW_COMMON_HEALTH_CONFIG_H
#define GW_COMMON_HEALTH_CONFIG_H

#include "common/keytable.h"

// One of http, tcp, exec is set, or nothing was said.
struct health_config {
    char *http;             // a path: GET answers 2xx or 3xx at the process's port
    bool tcp;               // its port accepts a connection
    char *exec;             // a shell command exits 0
    int64_t interval_ms;    // from one verdict to the next try
    int64_t timeout_ms;     // of one try
    int64_t failures;       // in a row, until it is restarted
    int64_t start_delay_ms; // after it was ready, until the first try
};

extern const struct key_table health_config_table;

// Whether there is something to look at.
bool health_config_is_on(const struct health_config *config);

#endif
