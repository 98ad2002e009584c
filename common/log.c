// Log lines on stderr. One write(2) a line, so that lines of several processes that share a file
// never mix.

#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

enum { LINE_SIZE = 2048 };

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static const char *program_name = "gwctl";
static enum log_level highest = LOG_LEVEL_INFO;

void log_init(const char *program, enum log_level level)
{
    program_name = program;
    highest = level;
}

int log_level_parse(const char *word, enum log_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(word, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return -1;
}

static void sanitise(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

static GW_PRINTF(2, 0) void write_line(enum log_level level, const char *format, va_list args)
{
    char line[LINE_SIZE], now[CLOCK_ISO_SIZE];
    if (level > highest)
        return;
    clock_format_iso(clock_wall_ms(), now);
    int used = snprintf(line, sizeof line, "%s %s %s[%d]: ", now, level_names[level], program_name,
                        (int)getpid());
    vsnprintf(line + used, sizeof line - (size_t)used - 1, format, args);
    sanitise(line);
    size_t length = strlen(line);
    line[length++] = '\n';
    // There is nowhere to report that a log line could not be written.
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}

void log_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(LOG_LEVEL_ERROR, format, args);
    va_end(args);
}

void log_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(LOG_LEVEL_WARN, format, args);
    va_end(args);
}

void log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(LOG_LEVEL_INFO, format, args);
    va_end(args);
}

void log_debug(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(LOG_LEVEL_DEBUG, format, args);
    va_end(args);
}
