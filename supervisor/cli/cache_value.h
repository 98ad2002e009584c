// A page about a key of the cache: what it is, how long it stays, its value where that is text.
#ifndef GW_CLI_CACHE_VALUE_H
#define GW_CLI_CACHE_VALUE_H

#include <stdint.h>

#include "common/buf.h"
#include "stored_view.h"

enum { CACHE_VALUE_FOREVER = -1 }; // no expiry

struct cache_value {
    struct piece key, bytes;
    int64_t expires_in_ms; // or CACHE_VALUE_FOREVER
};

// Appends the page. Of the gateway's answers it has status, fields and body. Nothing in it is
// obeyed by a terminal.
void cache_value_render(const struct cache_value *value, uint64_t now_ms, struct buf *out);

// What of a value people call its content: the body of an answer, else all of it.
struct piece cache_value_content(struct piece bytes);

#endif
