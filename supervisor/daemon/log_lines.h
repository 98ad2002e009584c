// Where the lines of an output stream end, and where one that is too long is cut. Pure.
//
// Both depend on the bytes of the line alone, never on how they came in pieces.
#ifndef GW_SUPERVISOR_LOG_LINES_H
#define GW_SUPERVISOR_LOG_LINES_H

#include <stddef.h>

enum { LOG_LINES_MAX = 65536 }; // a longer line goes out in pieces of at most this size

// How many of the bytes can go out: up to the last newline; without one a piece of the unfinished
// line, when that is too long; else none.
size_t log_lines_whole(const char *bytes, size_t length);

// The length of the line, or piece of one, that the bytes begin with, without its newline; `step`
// is set to where the next one begins. The last line may have no newline. No piece ends within a
// character of UTF-8, and only lines that are too long have pieces. length > 0.
size_t log_lines_next(const char *bytes, size_t length, size_t *step);

// The length of the last line, without its newline, which it may not have; `start` is set to where
// it begins. length > 0.
size_t log_lines_last(const char *bytes, size_t length, size_t *start);

#endif
