// Numbers as clients of Redis write and read them. Strict: what is printed is what is read.
#ifndef GW_CACHESVC_NUMBER_H
#define GW_CACHESVC_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A whole number without blanks, plus or leading zeros.
bool number_parse(const char *text, size_t length, int64_t *value);

// A decimal or hexadecimal fraction, with or without exponent; infinite ones too, NaN not.
bool number_parse_float(const char *text, size_t length, long double *value);

enum { NUMBER_SIZE = 21, NUMBER_FLOAT_SIZE = 5200 };

// Without a NUL. They return the length.
size_t number_format(int64_t value, char text[NUMBER_SIZE]);

// 17 digits behind the point at most, never an exponent, no zeros at the end.
size_t number_format_float(long double value, char text[NUMBER_FLOAT_SIZE]);

#endif
