// What handlers do with values. A value found lies in the segment, where it moves with the next
// change: what becomes part of a new value is copied first.
#include "handlers.h"

#include <string.h>

bool value_get(struct request *request, size_t index, struct store_value *value)
{
    const struct resp_arg *key = &request->args[index];
    return store_get(request->store, key->bytes, key->length, request->now_ms, value);
}

bool value_find(struct request *request, size_t index, struct store_value *value)
{
    const struct resp_arg *key = &request->args[index];
    return store_peek(request->store, key->bytes, key->length, request->now_ms, value);
}

void value_reply(struct request *request, const struct store_value *value)
{
    store_copy(request->store, value, reply_bulk_room(request->out, value->length));
}

char *value_load(struct request *request, const struct store_value *value, size_t more)
{
    struct buf *scratch = &request->service->scratch;
    buf_consume(scratch, scratch->length);
    char *bytes = buf_reserve(scratch, value->length + more + 1);
    store_copy(request->store, value, bytes);
    return bytes;
}

bool value_store(struct request *request, const struct store_set *set)
{
    struct err err;
    int result = store_set(request->store, set, request->now_ms, &err);
    if (result == -1)
        reply_error(request->out, "ERR %s", err.text);
    return result == 0;
}

bool value_set(struct request *request, size_t index, const struct resp_arg *bytes,
               uint64_t expires_ms)
{
    const struct resp_arg *key = &request->args[index];
    struct store_set set = {.key = key->bytes,
                            .key_length = key->length,
                            .value = bytes->bytes,
                            .length = bytes->length,
                            .expires_ms = expires_ms};
    return value_store(request, &set);
}

bool value_change(struct request *request, size_t index, const struct store_value *old,
                  const struct resp_arg *bytes)
{
    const struct resp_arg *key = &request->args[index];
    struct segment_tag tags[SEGMENT_TAGS_MAX];
    struct store_set set = {.key = key->bytes,
                            .key_length = key->length,
                            .value = bytes->bytes,
                            .length = bytes->length,
                            .expires_ms = old->expires_ms,
                            .tags = tags};
    const struct segment_tag *old_tags = store_value_tags(request->store, old, &set.tag_count);
    memcpy(tags, old_tags, set.tag_count * sizeof *tags);
    return value_store(request, &set);
}
