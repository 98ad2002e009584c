// Words of the command line, parsed with the rows of a command's options.
#ifndef GW_CLI_OPTIONS_H
#define GW_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct option_row {
    const char *name;  // "lines": --lines
    char letter;       // 0: none
    const char *value; // what its value is called in the help; NULL: a switch
    const char *help;
};

enum { OPTIONS_MAX = 16 };

// Borrows the words. values[i] belongs to rows[i]: NULL when absent, "" for a switch that is there.
struct options {
    const char *values[OPTIONS_MAX];
    char **words; // what is no option, in order
    size_t word_count;
    char **rest; // behind "--"; NULL when there was none
    size_t rest_count;
    bool help;
};

// rows end with a row whose name is NULL. -1 with err: an unknown option (with the nearest known
// one), a missing value. Freed with options_free in both cases.
int options_parse(const struct option_row *rows, int count, char **words, struct options *options,
                  struct err *err) GW_MUST_USE;
void options_free(struct options *options);

// The value of an option by its name; NULL when absent.
const char *options_get(const struct options *options, const struct option_row *rows,
                        const char *name);

// The number that an option has, or the fallback when it is absent. -1: its value is no number from
// 0 on.
int options_get_count(const struct options *options, const struct option_row *rows,
                      const char *name, size_t fallback, size_t *count) GW_MUST_USE;

#endif
