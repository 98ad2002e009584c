// A list for the order, a map for the keys.
#include "mirror_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/map.h"
#include "common/mem.h"

struct mirror_queue {
    struct map *by_key;
    struct mirror_change *first, *last;
    size_t bytes, limit_bytes;
};

// In the list, in the map with its own copy of the key, and what the allocator adds.
static size_t cost(size_t key_length)
{
    enum { BOOK_KEEPING = 64 };
    return sizeof(struct mirror_change) + 2 * key_length + BOOK_KEEPING;
}

struct mirror_queue *mirror_queue_new(size_t limit_bytes)
{
    struct mirror_queue *queue = mem_zalloc(1, sizeof *queue);
    queue->by_key = map_new();
    queue->limit_bytes = limit_bytes;
    return queue;
}

void mirror_queue_clear(struct mirror_queue *queue)
{
    struct mirror_change *change;
    while ((change = mirror_queue_take(queue)) != NULL)
        free(change);
}

void mirror_queue_free(struct mirror_queue *queue)
{
    if (!queue)
        return;
    mirror_queue_clear(queue);
    map_free(queue->by_key, NULL);
    free(queue);
}

static bool join(struct mirror_queue *queue, struct mirror_change *change)
{
    if (queue->bytes + cost(change->length) > queue->limit_bytes) {
        free(change);
        return false;
    }
    queue->bytes += cost(change->length);
    (void)map_put_n(queue->by_key, change->key, change->length, change);
    change->after = NULL;
    if (queue->last)
        queue->last->after = change;
    else
        queue->first = change;
    queue->last = change;
    return true;
}

// Of a key that was changed twice. A newer value is sent, also when Redis did not take the older.
static enum mirror_change_kind joined(enum mirror_change_kind older, enum mirror_change_kind newer)
{
    return newer == CHANGE_WRITE || newer > older ? newer : older;
}

bool mirror_queue_add(struct mirror_queue *queue, const char *key, size_t length,
                      enum mirror_change_kind kind)
{
    struct mirror_change *old = map_get_n(queue->by_key, key, length);
    if (old) { // a new value has tries of its own
        old->kind = joined(old->kind, kind);
        old->tries = 0;
        return true;
    }
    struct mirror_change *change = mem_zalloc(1, sizeof *change + length);
    change->kind = kind;
    change->length = length;
    memcpy(change->key, key, length);
    return join(queue, change);
}

bool mirror_queue_has(const struct mirror_queue *queue, const char *key, size_t length)
{
    return map_get_n(queue->by_key, key, length) != NULL;
}

struct mirror_change *mirror_queue_take(struct mirror_queue *queue)
{
    struct mirror_change *change = queue->first;
    if (!change)
        return NULL;
    queue->first = change->after;
    if (!queue->first)
        queue->last = NULL;
    queue->bytes -= cost(change->length);
    (void)map_remove_n(queue->by_key, change->key, change->length);
    return change;
}

bool mirror_queue_put_back(struct mirror_queue *queue, struct mirror_change *change)
{
    struct mirror_change *newer = map_get_n(queue->by_key, change->key, change->length);
    if (newer) {
        newer->kind = joined(change->kind, newer->kind);
        free(change);
        return true;
    }
    if (++change->tries >= CHANGE_TRIES && change->kind == CHANGE_WRITE)
        change->kind = CHANGE_DELETE;
    return join(queue, change);
}

bool mirror_queue_is_filling(const struct mirror_queue *queue)
{
    return queue->bytes > queue->limit_bytes / 2;
}

size_t mirror_queue_count(const struct mirror_queue *queue)
{
    return map_count(queue->by_key);
}
