// Any bytes as a path. A normal form must be one: not longer, without what was to be removed, and
// its own normal form.
//
// covers: gateway/target.c
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_segment(const char *segment, size_t length, bool is_last)
{
    require(length > 0 || is_last);
    require(length != 1 || segment[0] != '.');
    require(length != 2 || memcmp(segment, "..", 2) != 0);
}

static void check_normal(struct span path)
{
    const char *end = path.bytes + path.length;
    const char *segment = path.bytes + 1;
    require(path.bytes[0] == '/');
    for (const char *at = segment; at <= end; ++at) {
        if (at < end && *at != '/')
            continue;
        check_segment(segment, (size_t)(at - segment), at == end);
        segment = at + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span path = {(const char *)data, size};
    struct span normal, again;
    char *out = malloc(size > 0 ? size : 1);
    require(out != NULL);
    if (target_normalise(path, out, &normal) == 0 && normal.bytes[0] != '*') {
        char unused[1];
        require(normal.length <= size);
        check_normal(normal);
        require(target_normalise(normal, unused, &again) == 0 && again.bytes == normal.bytes);
    }
    free(out);
    return 0;
}
