// Messages. Numbers of others are read strictly, since what is misread is not deleted.
#include "mirror_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char word[] = "gwctl1 ";
enum { WORD = sizeof word - 1, ID_DIGITS = 16 };

void mirror_message_begin(struct buf *out, const struct mirror_head *head)
{
    buf_printf(out, "%s%016" PRIx64 " %" PRIu64 " %" PRIu64 "\n", word, head->id, head->previous,
               head->epoch);
}

void mirror_message_add(struct buf *out, enum mirror_item_kind kind, const char *bytes,
                        size_t length)
{
    buf_printf(out, "%c%zu:", kind, length);
    buf_append(out, bytes, length);
}

void mirror_message_add_tag(struct buf *out, const struct mirror_tag *tag)
{
    char text[48];
    int length = snprintf(text, sizeof text, "%u %" PRIu64 "\n", (unsigned)tag->slot, tag->version);
    mirror_message_add(out, ITEM_TAG, text, (size_t)length);
}

// Digits up to `end_with`, which is passed over.
static bool read_number(struct mirror_reader *reader, char end_with, uint64_t *number)
{
    const char *start = reader->at;
    *number = 0;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; ++reader->at) {
        unsigned digit = (unsigned)(*reader->at - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return reader->at > start && reader->at < reader->end && *reader->at++ == end_with;
}

static bool read_id(struct mirror_reader *reader, uint64_t *id)
{
    if (reader->end - reader->at <= ID_DIGITS || reader->at[ID_DIGITS] != ' ')
        return false;
    *id = 0;
    for (size_t i = 0; i < ID_DIGITS; ++i) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = reader->at[i] ? strchr(digits, reader->at[i]) : NULL;
        if (!digit)
            return false;
        *id = *id << 4 | (uint64_t)(digit - digits);
    }
    reader->at += ID_DIGITS + 1;
    return true;
}

int mirror_message_read(const char *text, size_t length, struct mirror_head *head,
                        struct mirror_reader *reader)
{
    if (length < WORD || memcmp(text, word, WORD) != 0)
        return -1;
    *reader = (struct mirror_reader){text + WORD, text + length};
    return read_id(reader, &head->id) && read_number(reader, ' ', &head->previous) &&
                   read_number(reader, '\n', &head->epoch)
               ? 0
               : -1;
}

static bool read_tag(const struct mirror_item *item, struct mirror_tag *tag)
{
    struct mirror_reader reader = {item->bytes, item->bytes + item->length};
    uint64_t slot, version;
    if (!read_number(&reader, ' ', &slot) || slot >= SEGMENT_TAG_SLOTS_MIN ||
        !read_number(&reader, '\n', &version))
        return false;
    *tag = (struct mirror_tag){(uint16_t)slot, version};
    return reader.at == reader.end;
}

int mirror_message_next(struct mirror_reader *reader, struct mirror_item *item)
{
    uint64_t length;
    if (reader->at == reader->end)
        return 0;
    char letter = *reader->at++;
    if (!memchr("kptf", letter, 4) || !read_number(reader, ':', &length) ||
        length > (uint64_t)(reader->end - reader->at))
        return -1;
    *item = (struct mirror_item){
        .kind = (enum mirror_item_kind)letter, .bytes = reader->at, .length = (size_t)length};
    reader->at += length;
    return item->kind != ITEM_TAG || read_tag(item, &item->tag) ? 1 : -1;
}
