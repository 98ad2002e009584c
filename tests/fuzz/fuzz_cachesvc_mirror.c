// Any bytes as what other machines leave in Redis: as a message of theirs, and as a value. What is
// read lies within them; written again and read again it is the same.
//
// covers: cachesvc/mirror_message.c cachesvc/mirror_value.c
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "mirror_message.h"
#include "mirror_value.h"

enum { MOST = 4096 }; // bytes of an input that is used

struct bytes {
    const char *data;
    size_t length;
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void require_within(const char *part, size_t length, struct bytes whole)
{
    require(part >= whole.data && part <= whole.data + whole.length &&
            length <= (size_t)(whole.data + whole.length - part));
}

static bool is_same_tag(const struct mirror_tag *tag, const struct mirror_tag *other)
{
    return tag->slot == other->slot && tag->version == other->version;
}

// --- messages -----------------------------------------------------------------------------------

static void write_item(struct buf *out, const struct mirror_item *item)
{
    if (item->kind == ITEM_TAG)
        mirror_message_add_tag(out, &item->tag);
    else
        mirror_message_add(out, item->kind, item->bytes, item->length);
}

static void require_same_item(const struct mirror_item *item, const struct mirror_item *other)
{
    require(item->kind == other->kind && is_same_tag(&item->tag, &other->tag));
    if (item->kind != ITEM_TAG) // whose number may have been written with zeros before it
        require(item->length == other->length &&
                memcmp(item->bytes, other->bytes, item->length) == 0);
}

static void require_sound_item(const struct mirror_item *item, struct bytes message)
{
    require_within(item->bytes, item->length, message);
    require(item->kind == ITEM_KEY || item->kind == ITEM_PATTERN || item->kind == ITEM_TAG ||
            item->kind == ITEM_EVERYTHING);
    require(item->tag.slot < SEGMENT_TAG_SLOTS_MIN);
}

// Reads the items left in one message and writes them behind the head of another.
static int copy_items(struct mirror_reader reader, struct bytes message, struct buf *out)
{
    struct mirror_item item;
    int result;
    size_t count = 0;
    while ((result = mirror_message_next(&reader, &item)) == 1) {
        require(++count <= message.length);
        require_sound_item(&item, message);
        write_item(out, &item);
    }
    require_within(reader.at, 0, message);
    require(result == -1 || reader.at == message.data + message.length);
    return result;
}

// All items of the second, and as many of the first as could be read.
static void require_same_items(struct mirror_reader first, struct mirror_reader second)
{
    struct mirror_item item, other;
    int result;
    while ((result = mirror_message_next(&second, &other)) == 1) {
        require(mirror_message_next(&first, &item) == 1);
        require_same_item(&item, &other);
    }
    require(result == 0);
    require(mirror_message_next(&first, &item) != 1);
}

static void check_message(struct bytes message)
{
    struct mirror_head head, again;
    struct mirror_reader reader, second;
    struct buf copy = BUF_INIT;
    if (mirror_message_read(message.data, message.length, &head, &reader) == -1)
        return;
    mirror_message_begin(&copy, &head);
    (void)copy_items(reader, message, &copy);
    require(mirror_message_read(copy.data, copy.length, &again, &second) == 0);
    require(again.id == head.id && again.previous == head.previous && again.epoch == head.epoch);
    require_same_items(reader, second);
    buf_free(&copy);
}

// --- values -------------------------------------------------------------------------------------

static void require_same_value(const struct mirror_value *value, struct bytes copy)
{
    struct mirror_value again;
    require(mirror_value_unwrap(copy.data, copy.length, &again));
    require(again.tag_count == value->tag_count && again.length == value->length);
    require(again.length == 0 || memcmp(again.bytes, value->bytes, again.length) == 0);
    for (size_t i = 0; i < again.tag_count; ++i)
        require(is_same_tag(&again.tags[i], &value->tags[i]));
}

static void write_and_compare(const struct mirror_value *value)
{
    struct buf copy = BUF_INIT;
    mirror_value_wrap(&copy, value->tags, value->tag_count, value->bytes, value->length);
    buf_append(&copy, value->bytes, value->length);
    require_same_value(value, (struct bytes){copy.data, copy.length});
    buf_free(&copy);
}

static void check_value(struct bytes bytes)
{
    struct mirror_value value;
    write_and_compare(&(struct mirror_value){.bytes = bytes.data, .length = bytes.length});
    if (!mirror_value_unwrap(bytes.data, bytes.length, &value))
        return;
    require(value.tag_count <= SEGMENT_TAGS_MAX);
    for (size_t i = 0; i < value.tag_count; ++i)
        require(value.tags[i].slot < SEGMENT_TAG_SLOTS_MIN);
    require_within(value.bytes, value.length, bytes);
    require(value.bytes + value.length == bytes.data + bytes.length); // all that follows the tags
    write_and_compare(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MOST)
        return 0;
    char *copy = malloc(size); // of its own, so that a look behind its end is noticed
    require(copy != NULL || size == 0);
    if (size > 0)
        memcpy(copy, data, size);
    check_message((struct bytes){copy, size});
    check_value((struct bytes){copy, size});
    free(copy);
    return 0;
}
