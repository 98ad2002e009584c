// What an ecosystem file says about the log files of an app.
#ifndef GW_COMMON_LOG_CONFIG_H
#define GW_COMMON_LOG_CONFIG_H

#include "common/keytable.h"

enum log_type { LOG_TYPE_RAW, LOG_TYPE_JSON };

extern const char *const log_type_words[]; // in the order of log_type, NULL-terminated

struct log_rotate_config {
    struct key_given given;  // KEY_FALSE: never
    int64_t size_bytes;      // 0: no matter how large
    bool daily;              // with the first line of a new day
    int64_t keep;            // how many old files
    bool compress;           // old files, with gzip
    int64_t max_total_bytes; // of the app's old files together; 0: no limit
};

extern const struct key_table log_rotate_config_table;

#endif
