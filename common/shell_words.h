// Splits a command line into words as a shell does, without expanding anything.
#ifndef GW_COMMON_SHELL_WORDS_H
#define GW_COMMON_SHELL_WORDS_H

#include "common/keytable.h"

// Blanks part words; '...' and "..." and a backslash keep them. Adds the words to `words` (zeroed
// by the caller), also before a failure (a quote without end, a backslash at the end).
int shell_words_split(const char *text, struct key_strings *words, struct err *err) GW_MUST_USE;

#endif
