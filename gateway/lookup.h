// What the segment has for a request: under its key or, where a mark of Vary stands there, under
// the key of the variant that the request selects.
#ifndef GW_GATEWAY_LOOKUP_H
#define GW_GATEWAY_LOOKUP_H

#include <h2o.h>
#include <stdint.h>

#include "common/buf.h"
#include "span.h"
#include "stored.h"

struct segment;
struct vary;

// Who looks; all borrowed. The segment is mapped.
struct lookup {
    const struct segment *segment;
    h2o_mem_pool_t *pool; // for what is found
    struct span key;
    const struct field *fields; // of the request
    size_t field_count;
};

struct lookup_found {
    enum stored_kind kind; // STORED_ANSWER, STORED_PASS; STORED_BAD: nothing of use
    struct span blob;      // as it is stored; `stored` points into it
    struct stored stored;
    struct span missing; // the key, or that of the variant, under which nothing is; else empty
};

void lookup_find(const struct lookup *lookup, struct lookup_found *found);

// Appends the key of the variant, under a mark with this nonce, to `key`, which is empty.
void lookup_write_variant_key(const struct lookup *lookup, const struct vary *vary, uint32_t nonce,
                              struct buf *key);

// The nonce under which a variant is to be stored: that of the mark which is there already, for its
// variants are to be found on; or a new one, for those of a mark that was removed are not.
uint32_t lookup_choose_nonce(const struct lookup *lookup, const struct vary *vary);

#endif
