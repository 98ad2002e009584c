// Numbers and their texts.
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool number_parse(const char *text, size_t length, int64_t *value)
{
    bool is_negative = length > 0 && text[0] == '-';
    size_t at = is_negative ? 1 : 0;
    size_t digits = length - at;
    uint64_t magnitude = 0;
    if (digits == 0 || digits > 19 || (text[at] == '0' && length > 1))
        return false;
    for (; at < length; ++at) {
        if ((unsigned char)(text[at] - '0') > 9)
            return false;
        magnitude = magnitude * 10 + (uint64_t)(text[at] - '0');
    }
    if (magnitude > (uint64_t)INT64_MAX + (is_negative ? 1 : 0))
        return false;
    *value = is_negative ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
    return true;
}

bool number_parse_float(const char *text, size_t length, long double *value)
{
    char copy[NUMBER_FLOAT_SIZE], *end;
    if (length == 0 || length >= sizeof copy || isspace((unsigned char)text[0]))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    errno = 0;
    *value = strtold(copy, &end);
    bool is_lost = errno == ERANGE && (isinf(*value) || *value == 0);
    return end == copy + length && !is_lost && !isnan(*value);
}

size_t number_format(int64_t value, char text[NUMBER_SIZE])
{
    char digits[NUMBER_SIZE];
    size_t first = sizeof digits, length;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--first] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (value < 0)
        digits[--first] = '-';
    length = sizeof digits - first;
    memcpy(text, digits + first, length);
    return length;
}

size_t number_format_float(long double value, char text[NUMBER_FLOAT_SIZE])
{
    int printed = snprintf(text, NUMBER_FLOAT_SIZE, "%.17Lf", value);
    size_t length = (size_t)printed;
    if (memchr(text, '.', length)) {
        while (text[length - 1] == '0')
            --length;
        if (text[length - 1] == '.')
            --length;
    }
    if (length == 2 && memcmp(text, "-0", 2) == 0) {
        text[0] = '0';
        length = 1;
    }
    return length;
}
