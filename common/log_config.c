// The keys of an app that say how its log files are kept.

#include "common/log_config.h"

enum { KEEP_LIMIT = 10000 };

#define KIB INT64_C(1024)
#define TIB (KIB * KIB * KIB * KIB)
#define ROTATE(field) offsetof(struct log_rotate_config, field)

const char *const log_type_words[] = {"raw", "json", NULL};

static const struct key log_rotate_keys[] = {
    {"size", KEY_SIZE, ROTATE(size_bytes), .min = 0, .max = TIB, .fallback = "10M",
     .flags = KEY_RESTART, .help = "How large a log file gets; 0: no matter."},
    {"daily", KEY_BOOL, ROTATE(daily), .fallback = "true", .flags = KEY_RESTART,
     .help = "Whether a new day begins a new file."},
    {"keep", KEY_INTEGER, ROTATE(keep), .min = 0, .max = KEEP_LIMIT, .fallback = "30",
     .flags = KEY_RESTART, .help = "How many old files of each log are kept."},
    {"compress", KEY_BOOL, ROTATE(compress), .fallback = "true", .flags = KEY_RESTART,
     .help = "Whether old files are compressed."},
    {"max_total", KEY_SIZE, ROTATE(max_total_bytes), .min = 0, .max = TIB, .fallback = "0",
     .flags = KEY_RESTART, .help = "What the old files of the app may take; 0: no limit."},
    {0},
};

const struct key_table log_rotate_config_table = {.noun = "log_rotate",
                                                  .keys = log_rotate_keys,
                                                  .size = sizeof(struct log_rotate_config),
                                                  .notes_given = true,
                                                  .given = ROTATE(given),
                                                  .may_be_false = true};
