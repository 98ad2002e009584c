// When a log file makes room for the next one, what the old one is called, and which old ones go.
// Pure: time comes as a parameter.
#ifndef GW_SUPERVISOR_LOG_ROTATION_H
#define GW_SUPERVISOR_LOG_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log_config.h"

// Whether a file of `size` bytes, whose day ends at `day_end_s`, is to be replaced before `length`
// bytes are written at `now_s` (both seconds since 1970). An empty file never is.
bool log_rotation_is_due(const struct log_rotate_config *config, uint64_t size, uint64_t length,
                         int64_t day_end_s, int64_t now_s);

// The next midnight of the local time zone.
int64_t log_rotation_day_end(int64_t now_s);

// What is added to a log's name: ".2026-11-25T17-13-33.042Z" (UTC, so that names sort by age).
enum { LOG_ROTATION_SUFFIX_SIZE = 32 };
void log_rotation_suffix(uint64_t wall_ms, char out[LOG_ROTATION_SUFFIX_SIZE]);

enum log_rotation_kind {
    LOG_ROTATION_FOREIGN,   // no old file of this log
    LOG_ROTATION_PLAIN,     // as it was written
    LOG_ROTATION_PACKED,    // <plain>.gz
    LOG_ROTATION_UNFINISHED // <plain>.gz.new: while <plain> is there, part of its copy; else all
};
enum log_rotation_kind log_rotation_kind(const char *log, const char *name);

// How many of the old files, whose sizes are given from the oldest on, are too many.
size_t log_rotation_surplus(const struct log_rotate_config *config, const uint64_t *sizes,
                            size_t count);

#endif
