// Durations and sizes: digits and a unit.

#include "common/key_units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/keytable.h"

struct unit {
    const char *name;
    int64_t factor;
};

// From the smallest; the end has no name.
static const struct unit durations[] = {{"ms", 1},          {"s", 1000},         {"m", 60 * 1000},
                                        {"h", 3600 * 1000}, {"d", 86400 * 1000}, {NULL, 0}};
static const struct unit sizes[] = {
    {"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};

// A number without unit counts in the smallest.
static int parse(const char *text, const struct unit *units, int64_t *number)
{
    char *end;
    if (*text < '0' || *text > '9')
        return -1;
    errno = 0;
    long long count = strtoll(text, &end, 10);
    const struct unit *unit = units;
    while (*end && unit->name && strcmp(unit->name, end) != 0)
        unit++;
    if (errno == ERANGE || !unit->name || count > INT64_MAX / unit->factor)
        return -1;
    *number = count * unit->factor;
    return 0;
}

static void format(int64_t number, const struct unit *units, char *text, size_t size)
{
    const struct unit *unit = units;
    while (number != 0 && unit[1].name && number % unit[1].factor == 0)
        unit++;
    snprintf(text, size, "%lld%s", (long long)(number / unit->factor), unit->name);
}

int key_parse_duration(const char *text, int64_t *ms, struct err *err)
{
    if (parse(text, durations, ms) == 0)
        return 0;
    return err_set(err, "\"%s\" is not a duration (such as 1500, 500ms, 10s, 15m, 1h, 1d)", text);
}

int key_parse_size(const char *text, int64_t *bytes, struct err *err)
{
    if (parse(text, sizes, bytes) == 0)
        return 0;
    return err_set(err, "\"%s\" is not a size (such as 1024, 512K, 300M, 1G)", text);
}

void key_format_duration(int64_t ms, char *text, size_t size)
{
    format(ms, durations, text, size);
}

void key_format_size(int64_t bytes, char *text, size_t size)
{
    format(bytes, sizes, text, size);
}
