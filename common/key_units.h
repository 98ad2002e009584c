// How durations and sizes are shown; reading them is in keytable.h.
#ifndef GW_COMMON_KEY_UNITS_H
#define GW_COMMON_KEY_UNITS_H

#include <stddef.h>
#include <stdint.h>

// In the largest unit that needs no fraction: "1500ms", "10s", "1d"; "512K", "10M".
void key_format_duration(int64_t ms, char *text, size_t size);
void key_format_size(int64_t bytes, char *text, size_t size);

#endif
