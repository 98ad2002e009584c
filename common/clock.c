// The clocks, and times as people read them.

#include "common/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

uint64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

void clock_format_iso(uint64_t wall_ms, char out[CLOCK_ISO_SIZE])
{
    static const uint64_t last_ms = UINT64_C(253402300799999); // 9999-12-31T23:59:59.999Z
    if (wall_ms > last_ms)
        wall_ms = last_ms;
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char whole[20];

    gmtime_r(&seconds, &tm);
    strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, CLOCK_ISO_SIZE, "%s.%03uZ", whole, (unsigned)(wall_ms % 1000));
}

void clock_format_duration(uint64_t ms, char *out, size_t size)
{
    unsigned long long seconds = ms / 1000, minutes = seconds / 60, hours = minutes / 60;

    if (ms < 1000)
        snprintf(out, size, "%u ms", (unsigned)ms);
    else if (seconds < 60)
        snprintf(out, size, "%llu.%u s", seconds, (unsigned)(ms % 1000 / 100));
    else if (minutes < 60)
        snprintf(out, size, "%llum %llus", minutes, seconds % 60);
    else if (hours < 24)
        snprintf(out, size, "%lluh %llum", hours, minutes % 60);
    else
        snprintf(out, size, "%llud %lluh", hours / 24, hours % 24);
}
