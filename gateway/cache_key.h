// Under which key an answer is stored.
//
//   http:GET:example.com/api/services?a=1|h:accept-language=de|c:theme=dark|u:alice
//
// Readable text, and never one key for two requests that the settings tell apart: in values, '|'
// and '\' have a '\' before them. Further:
//   |h:name  |c:name  |u    not there (|h:name= is there, but empty)
//   |c:name\-               a cookie without '='
//   \#<32 hex>              the hash of what must not be read here: credentials
//   |v=<8 hex>              of a variant: the nonce of the mark that leads to it
//   |v:name=value           of a variant: a request field that the answer's Vary names
//   \~<32 hex>              the hash of a key that is too long, behind its beginning
#ifndef GW_GATEWAY_CACHE_KEY_H
#define GW_GATEWAY_CACHE_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "span.h"

struct cache_key_config;
struct vary;

// All borrowed.
struct cache_key_request {
    struct span scheme; // "http" or "https"
    struct span host;   // the authority; empty when there is none
    struct span path;   // normalised, before it is rewritten
    struct span query;  // with its '?', or empty
    struct span user;   // a proven identity, or empty
    const struct field *fields;
    size_t field_count;
};

// Appends the key to `key`, which is empty. HEAD has that of GET. At most SEGMENT_KEY_MAX bytes.
void cache_key_write(const struct cache_key_config *config, const struct cache_key_request *request,
                     struct buf *key);

// Makes a key from cache_key_write that of the variant which `fields` of a request select, under
// the mark with this nonce.
void cache_key_add_variant(struct buf *key, const struct vary *vary, uint32_t nonce,
                           const struct field *fields, size_t count);

#endif
