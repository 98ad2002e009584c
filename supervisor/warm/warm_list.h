// The URLs that `cache warm` reads: one a line.
#ifndef GW_CLI_WARM_LIST_H
#define GW_CLI_WARM_LIST_H

#include <stddef.h>

#include "common/buf.h"

struct warm_list {
    char **urls;
    size_t count;
};

// Reads a whole file. A line is "/path", which stands behind `base`, or "http://host/path"; blank
// ones and those that begin with '#' are none. Appends a line to `errors` for each that is neither,
// with `name` and its number before it; returns -1 when there were some. The text is changed.
// Freed with warm_list_free in both cases.
int warm_list_parse(struct buf *text, const char *name, const char *base, struct warm_list *list,
                    struct buf *errors) GW_MUST_USE;
void warm_list_free(struct warm_list *list);

#endif
