// Log lines without common/log.h: the keeper links libc only, so that it stays small and has
// nothing to be updated for.

#include "note.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void note(const char *level, const char *format, ...)
{
    char text[512];
    struct timespec now;
    struct tm parts;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    dprintf(STDERR_FILENO, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s gw-keeper[%d]: %s\n",
            parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
            parts.tm_sec, now.tv_nsec / 1000000, level, (int)getpid(), text);
}
