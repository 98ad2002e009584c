// The decisions of log rotation. Not its job: any file (log_file.c, log_tidy.c).

#include "log_rotation.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PACKED ".gz"
#define UNFINISHED ".gz.new"

bool log_rotation_is_due(const struct log_rotate_config *config, uint64_t size, uint64_t length,
                         int64_t day_end_s, int64_t now_s)
{
    if (size == 0 || config->given.presence == KEY_FALSE)
        return false;
    if (config->daily && now_s >= day_end_s)
        return true;
    return config->size_bytes > 0 && size + length > (uint64_t)config->size_bytes;
}

int64_t log_rotation_day_end(int64_t now_s)
{
    time_t now = (time_t)now_s;
    struct tm day;
    localtime_r(&now, &day);
    day.tm_mday++;
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    day.tm_isdst = -1; // the day may have 23 or 25 hours
    return (int64_t)mktime(&day);
}

void log_rotation_suffix(uint64_t wall_ms, char out[LOG_ROTATION_SUFFIX_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t length = strftime(out, LOG_ROTATION_SUFFIX_SIZE, ".%Y-%m-%dT%H-%M-%S", &utc);
    snprintf(out + length, LOG_ROTATION_SUFFIX_SIZE - length, ".%03uZ", (unsigned)(wall_ms % 1000));
}

// The length of the suffix that the text begins with; 0: it is none.
static size_t suffix_length(const char *text)
{
    static const char form[] = ".0000-00-00T00-00-00.000Z";
    for (size_t i = 0; i < sizeof form - 1; i++) {
        bool fits = form[i] == '0' ? isdigit((unsigned char)text[i]) : text[i] == form[i];
        if (!fits)
            return 0;
    }
    return sizeof form - 1;
}

enum log_rotation_kind log_rotation_kind(const char *log, const char *name)
{
    size_t length = strlen(log);
    if (strncmp(log, name, length) != 0)
        return LOG_ROTATION_FOREIGN;
    size_t suffix = suffix_length(name + length);
    const char *rest = name + length + suffix;
    if (suffix == 0)
        return LOG_ROTATION_FOREIGN;
    if (*rest == '\0')
        return LOG_ROTATION_PLAIN;
    if (strcmp(rest, PACKED) == 0)
        return LOG_ROTATION_PACKED;
    return strcmp(rest, UNFINISHED) == 0 ? LOG_ROTATION_UNFINISHED : LOG_ROTATION_FOREIGN;
}

size_t log_rotation_surplus(const struct log_rotate_config *config, const uint64_t *sizes,
                            size_t count)
{
    size_t kept = 0;
    uint64_t total = 0;
    for (; kept < count && kept < (size_t)config->keep; kept++) {
        total += sizes[count - 1 - kept];
        if (config->max_total_bytes > 0 && total > (uint64_t)config->max_total_bytes)
            break;
    }
    return count - kept;
}
