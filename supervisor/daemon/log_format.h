// How a line stands in the log file: as it was written, behind a date, or as a record of JSON.
// Pure.
#ifndef GW_SUPERVISOR_LOG_FORMAT_H
#define GW_SUPERVISOR_LOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

struct log_format {
    bool json;
    const char *date; // e.g. "YYYY-MM-DD HH:mm:ss.SSS Z"; NULL: none, in JSON as ISO 8601
    const char *app;  // for JSON, as the next two
    unsigned id;
    bool error; // it is stderr
};

// Lines go to the file as they are.
bool log_format_is_plain(const struct log_format *format);

// Appends the time as the tokens of the form say (docs/configuration.md), in the local time zone;
// what is no token stands for itself, and so does all within [].
void log_format_append_date(struct buf *out, const char *form, uint64_t wall_ms);

// Appends each line of `bytes`, or piece of one that is too long (log_lines.h), formatted, with a
// newline; the last one may have none. They all have the same time.
void log_format_append_lines(struct buf *out, const struct log_format *format, uint64_t wall_ms,
                             const char *bytes, size_t length);

#endif
