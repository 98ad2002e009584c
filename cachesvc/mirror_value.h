// What stands in Redis under a key: the bytes of the value, and before them, if it has tags, an
// envelope that says which, and at which version of each. Who purges a tag gives it another
// version; a value with an older one is not there any more. No I/O.
//
//   "\0gwctl1\n" | number of tags (1 byte) | { slot (2 bytes) version (8 bytes) }* | value
//
// Numbers are little-endian. A value without tags that looks like an envelope gets one without
// tags.
#ifndef GW_CACHESVC_MIRROR_VALUE_H
#define GW_CACHESVC_MIRROR_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/segment.h"

struct mirror_tag {
    uint16_t slot; // below SEGMENT_TAG_SLOTS_MIN
    uint64_t version;
};

// Appends the envelope that a value which begins with these bytes needs; often nothing.
void mirror_value_wrap(struct buf *out, const struct mirror_tag *tags, size_t count,
                       const char *value, size_t length);

struct mirror_value {
    const char *bytes; // in what was unwrapped
    size_t length;
    struct mirror_tag tags[SEGMENT_TAGS_MAX];
    size_t tag_count;
};

// false: it is a broken envelope.
bool mirror_value_unwrap(const char *bytes, size_t length, struct mirror_value *value);

#endif
