// One form of a path for routing, cache keys and upstreams, so that no two of them disagree about
// what was asked for.
#ifndef GW_GATEWAY_TARGET_H
#define GW_GATEWAY_TARGET_H

#include "common/err.h"
#include "span.h"

// Normalises a path without query that starts with '/': escapes of unreserved characters decoded,
// all others kept with upper-case digits (`%2F` stays encoded), repeated slashes merged, dot
// segments resolved. "*" is its own normal form.
// *normal is `path` itself when it was normal already (the common case, nothing is copied), else
// it points to `out`, which has room for path.length bytes and must not overlap path.
// Returns -1 for a bad request: no '/' at the start, `%` without two digits, `%00`, a byte that no
// path may hold (`?` and `#` too), a backslash (there are servers that take it for a slash), `..`
// above the root.
int target_normalise(struct span path, char *out, struct span *normal) GW_MUST_USE;

#endif
