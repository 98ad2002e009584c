// The two clocks. Deciding code never calls these: it gets the time as a parameter.
#ifndef GW_COMMON_CLOCK_H
#define GW_COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

// Monotonic (CLOCK_MONOTONIC): for deadlines and durations. The same in all processes of a machine.
uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);

// Wall clock, ms since 1970, for people and for files.
uint64_t clock_wall_ms(void);

enum { CLOCK_ISO_SIZE = 25 };

// "2026-01-02T03:04:05.678Z" with its NUL. The form ends with the year 9999: a later time, which
// only another program can have named, is its last millisecond.
void clock_format_iso(uint64_t wall_ms, char out[CLOCK_ISO_SIZE]);

// "3.1 s", "812 ms", "2h 5m", "4d 3h": two units at the most, for people.
void clock_format_duration(uint64_t ms, char *out, size_t size);

#endif
