// Reads the segment, and asks nobody: what is not there may be in Redis, which is turn.c's to find
// out. Whether what is there is fresh enough is cached.c's to say.
//
// Values are copied out of the segment into the request's memory before they are read: its writer
// may change them at any time.
#include "lookup.h"

#include <uv.h>

#include "cache_key.h"
#include "common/clock.h"
#include "common/segment.h"
#include "vary.h"

static void *allocate(void *context, size_t length)
{
    return h2o_mem_alloc_pool(context, length);
}

// Empty: there is nothing.
static struct span get(const struct lookup *lookup, struct span key)
{
    struct segment_found found;
    if (segment_get(lookup->segment, key.bytes, key.length, clock_wall_ms(), allocate, lookup->pool,
                    &found) != SEGMENT_HIT)
        return (struct span){NULL, 0};
    return (struct span){found.value, found.length};
}

void lookup_write_variant_key(const struct lookup *lookup, const struct vary *vary, uint32_t nonce,
                              struct buf *key)
{
    buf_append(key, lookup->key.bytes, lookup->key.length);
    cache_key_add_variant(key, vary, nonce, lookup->fields, lookup->field_count);
}

static void get_variant(const struct lookup *lookup, const struct vary *vary,
                        struct lookup_found *found)
{
    struct buf key = BUF_INIT;
    lookup_write_variant_key(lookup, vary, found->stored.nonce, &key);
    found->blob = get(lookup, (struct span){key.data, key.length});
    if (found->blob.length == 0) {
        h2o_iovec_t copy = h2o_strdup(lookup->pool, key.data, key.length);
        found->missing = (struct span){copy.base, copy.len};
    }
    buf_free(&key);
}

void lookup_find(const struct lookup *lookup, struct lookup_found *found)
{
    struct vary vary;
    found->blob = get(lookup, lookup->key);
    found->missing = found->blob.length == 0 ? lookup->key : (struct span){NULL, 0};
    found->kind = stored_read(found->blob, &found->stored, &vary);
    if (found->kind != STORED_VARY)
        return;
    get_variant(lookup, &vary, found);
    found->kind = stored_read(found->blob, &found->stored, &vary);
    if (found->kind == STORED_VARY)
        found->kind = STORED_BAD;
}

uint32_t lookup_choose_nonce(const struct lookup *lookup, const struct vary *vary)
{
    struct stored stored;
    struct vary known;
    uint32_t nonce;
    if (stored_read(get(lookup, lookup->key), &stored, &known) == STORED_VARY &&
        vary_equal(&known, vary))
        return stored.nonce;
    if (uv_random(NULL, NULL, &nonce, sizeof(nonce), 0, NULL) != 0)
        nonce = (uint32_t)uv_hrtime();
    return nonce;
}
