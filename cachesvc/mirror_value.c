// Envelopes.
#include "mirror_value.h"

#include <string.h>

static const char magic[] = {'\0', 'g', 'w', 'c', 't', 'l', '1', '\n'};
enum { MAGIC = sizeof magic, HEAD = MAGIC + 1, SLOT = 2, VERSION = 8, TAG = SLOT + VERSION };

static void put_number(char *to, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        to[i] = (char)(unsigned char)(number >> (8 * i));
}

static uint64_t get_number(const char *from, size_t size)
{
    uint64_t number = 0;
    for (size_t i = size; i-- > 0;)
        number = number << 8 | (unsigned char)from[i];
    return number;
}

static bool looks_wrapped(const char *bytes, size_t length)
{
    return length >= MAGIC && memcmp(bytes, magic, MAGIC) == 0;
}

void mirror_value_wrap(struct buf *out, const struct mirror_tag *tags, size_t count,
                       const char *value, size_t length)
{
    if (count == 0 && !looks_wrapped(value, length))
        return;
    char *to = buf_reserve(out, HEAD + count * TAG);
    memcpy(to, magic, MAGIC);
    to[MAGIC] = (char)(unsigned char)count;
    for (size_t i = 0; i < count; ++i) {
        put_number(to + HEAD + i * TAG, tags[i].slot, SLOT);
        put_number(to + HEAD + i * TAG + SLOT, tags[i].version, VERSION);
    }
    buf_commit(out, HEAD + count * TAG);
}

bool mirror_value_unwrap(const char *bytes, size_t length, struct mirror_value *value)
{
    *value = (struct mirror_value){.bytes = bytes, .length = length};
    if (!looks_wrapped(bytes, length))
        return true;
    size_t count = length > MAGIC ? (unsigned char)bytes[MAGIC] : SIZE_MAX;
    if (count > SEGMENT_TAGS_MAX || length < HEAD + count * TAG)
        return false;
    for (size_t i = 0; i < count; ++i) {
        uint64_t slot = get_number(bytes + HEAD + i * TAG, SLOT);
        if (slot >= SEGMENT_TAG_SLOTS_MIN)
            return false;
        value->tags[i] =
            (struct mirror_tag){(uint16_t)slot, get_number(bytes + HEAD + i * TAG + SLOT, VERSION)};
    }
    value->tag_count = count;
    value->bytes += HEAD + count * TAG;
    value->length -= HEAD + count * TAG;
    return true;
}
