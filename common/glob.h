// Patterns of KEYS and of SCAN's MATCH, on bytes that may be anything (no NUL ends them).
//
//   *            any bytes, also none
//   ?            one byte
//   [abc] [a-z]  one byte of the set; the ends of a range may stand in either order
//   [^abc]       one byte that is not of the set
//   \x           x itself, also within a set
//   other        itself
//
// A set that is not closed reaches to the end of the pattern; a backslash at the end is itself.
#ifndef GW_COMMON_GLOB_H
#define GW_COMMON_GLOB_H

#include <stdbool.h>
#include <stddef.h>

// Takes at most pattern_length * text_length steps, whatever the pattern.
bool glob_match(const char *pattern, size_t pattern_length, const char *text, size_t text_length);

// How many bytes at the start of the pattern stand for themselves: every text that it matches
// starts with them. When that is the whole pattern, it matches only this text.
size_t glob_literal_prefix(const char *pattern, size_t length);

#endif
