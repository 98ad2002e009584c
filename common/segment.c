// Layout and reading of the cache segment. The writer is cachesvc/store.c.
//
// The invariant of reading: nothing is dereferenced, and nothing copied, before its place and
// length were checked against the page; what was copied counts only if the bucket's version says
// so.

#include "common/segment.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <xxhash.h>

enum { CHAIN_MAX = 1024 }; // a longer one is a loop

// --- layout -------------------------------------------------------------------------------------

static uint32_t checksum(const struct segment_header *header)
{
    size_t from = offsetof(struct segment_header, version);
    return (uint32_t)XXH3_64bits((const char *)header + from,
                                 offsetof(struct segment_header, checksum) - from);
}

static uint64_t power_of_two_below(uint64_t number)
{
    uint64_t power = 1;
    while (power * 2 <= number)
        power *= 2;
    return power;
}

static uint32_t units(uint64_t bytes)
{
    return (uint32_t)((bytes + SEGMENT_UNIT - 1) / SEGMENT_UNIT);
}

// A bucket for each 256 bytes: chains stay short for the smallest items, and the table of a page of
// large ones is 3 % of it. The size decides everything, so that readers know what must stand there.
static void lay_out(struct segment_header *header, uint64_t size)
{
    uint64_t buckets = power_of_two_below(size / 256);
    uint64_t tags = power_of_two_below(size / 1024 < 65536 ? size / 1024 : 65536);
    if (tags < SEGMENT_TAG_SLOTS_MIN)
        tags = SEGMENT_TAG_SLOTS_MIN;

    header->version = SEGMENT_VERSION;
    header->size = size;
    header->tag_mask = (uint32_t)(tags - 1);
    header->bucket_mask = (uint32_t)(buckets - 1);
    header->tags_at = units(sizeof *header);
    header->buckets_at = header->tags_at + units(tags * sizeof(uint32_t));
    header->heap_at = header->buckets_at + units(buckets * sizeof(struct segment_bucket));
    header->heap_end = (uint32_t)(size / SEGMENT_UNIT);
    header->checksum = checksum(header);
}

static bool is_page_size(uint64_t size)
{
    return size >= SEGMENT_SIZE_MIN && size <= SEGMENT_SIZE_MAX && size % SEGMENT_UNIT == 0;
}

int segment_format(void *base, uint64_t size, struct err *err)
{
    if (!is_page_size(size))
        return err_set(err, "a cache of %llu bytes is not between 1 MB and 8 GB",
                       (unsigned long long)size);
    lay_out(base, size);
    return 0;
}

void segment_publish(void *base)
{
    struct segment_header *header = base;
    atomic_thread_fence(memory_order_release);
    header->magic = SEGMENT_MAGIC;
}

// A checksum that fits says that nobody overwrote the header, not that it is true: the masks and
// the end of the heap are all that keeps a reader inside the page.
int segment_check(const void *base, uint64_t size, struct err *err)
{
    const struct segment_header *header = base;
    const size_t from = offsetof(struct segment_header, version);
    const size_t to = offsetof(struct segment_header, generation);
    struct segment_header expected;

    if (!is_page_size(size) || header->magic != SEGMENT_MAGIC)
        return err_set(err, "the cache page is none");
    if (header->version != SEGMENT_VERSION)
        return err_set(err, "the cache page has version %u, not %d", (unsigned)header->version,
                       SEGMENT_VERSION);
    memset(&expected, 0, sizeof expected);
    lay_out(&expected, size);
    if (memcmp((const char *)base + from, (const char *)&expected + from, to - from) != 0)
        return err_set(err, "the cache page is damaged");
    return 0;
}

void segment_beat(struct segment_header *header, uint64_t now_mono_ms)
{
    atomic_store_explicit(&header->beat_ms, now_mono_ms, memory_order_relaxed);
}

// The writer may have read the clock a moment after us: a beat that is yet to come is a fresh one.
bool segment_writer_is_alive(const struct segment_header *header, uint64_t now_mono_ms)
{
    uint64_t beat_ms = atomic_load_explicit(&header->beat_ms, memory_order_relaxed);
    return beat_ms != 0 && (beat_ms >= now_mono_ms || now_mono_ms - beat_ms <= SEGMENT_SILENT_MS);
}

struct segment segment_of(const void *base, uint64_t size)
{
    struct segment_header header = {0};
    lay_out(&header, size);
    return (struct segment){base,
                            base,
                            (size_t)size,
                            {header.tag_mask, header.bucket_mask, header.tags_at, header.buckets_at,
                             header.heap_at, header.heap_end}};
}

int segment_map(struct segment *segment, int fd, struct err *err)
{
    struct stat stat;
    *segment = (struct segment){0};
    if (fstat(fd, &stat) == -1)
        return err_set_errno(err, "cache page");
    if ((uint64_t)stat.st_size < SEGMENT_SIZE_MIN)
        return err_set(err, "the cache page is none");
    void *base = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return err_set_errno(err, "cache page");
    if (segment_check(base, (uint64_t)stat.st_size, err) == -1) {
        munmap(base, (size_t)stat.st_size);
        return -1;
    }
    *segment = segment_of(base, (uint64_t)stat.st_size);
    return 0;
}

int segment_recheck(const struct segment *segment, struct err *err)
{
    return segment_check(segment->base, segment->size, err);
}

void segment_unmap(struct segment *segment)
{
    if (segment->base)
        munmap((void *)segment->base, segment->size);
    *segment = (struct segment){0};
}

uint64_t segment_hash(const char *key, size_t length)
{
    return XXH3_64bits(key, length);
}

uint32_t segment_tag_slot(const struct segment_header *header, const char *tag, size_t length)
{
    return (uint32_t)XXH3_64bits_withSeed(tag, length, 1) & header->tag_mask;
}

// --- reading ------------------------------------------------------------------------------------

// What one try is about.
struct search {
    const struct segment *segment;
    const char *key;
    size_t key_length;
    uint32_t hash;
    uint64_t now_ms;
};

// The first bytes of an item, copied, and where its variable part is; all of it inside the heap.
struct view {
    struct segment_item item;
    const char *tags, *key, *value;
    const char *end; // of the extent
};

static bool in_heap(const struct segment *segment, segment_ref ref, size_t bytes)
{
    const struct segment_regions *regions = &segment->regions;
    return ref >= regions->heap_at && ref < regions->heap_end &&
           (uint64_t)(regions->heap_end - ref) * SEGMENT_UNIT >= bytes;
}

static const char *at(const struct segment *segment, segment_ref ref)
{
    return segment->base + (size_t)ref * SEGMENT_UNIT;
}

// The end of the extent whose header is at ref; NULL: it would leave the heap.
static const char *extent_end(const struct segment *segment, segment_ref ref, uint32_t size)
{
    size_t bytes = (size_t)(size & EXTENT_SIZE) * SEGMENT_UNIT;
    return in_heap(segment, ref, bytes) ? at(segment, ref) + bytes : NULL;
}

static bool view_item(const struct segment *segment, segment_ref ref, struct view *view)
{
    if (!in_heap(segment, ref, sizeof view->item))
        return false;
    memcpy(&view->item, at(segment, ref), sizeof view->item);
    view->end = extent_end(segment, ref, view->item.extent.size);
    view->tags = at(segment, ref) + sizeof view->item;
    if (!view->end || view->end < view->tags)
        return false;
    size_t tags = view->item.tag_count * sizeof(struct segment_tag);
    if ((size_t)(view->end - view->tags) < tags + view->item.key_length)
        return false;
    view->key = view->tags + tags;
    view->value = view->key + view->item.key_length;
    return true;
}

static bool tags_hold(const struct segment *segment, const struct view *view)
{
    const _Atomic uint32_t *generations =
        (const _Atomic uint32_t *)at(segment, segment->regions.tags_at);
    for (size_t i = 0; i < view->item.tag_count; i++) {
        struct segment_tag tag;
        memcpy(&tag, view->tags + i * sizeof tag, sizeof tag);
        if (tag.slot > segment->regions.tag_mask ||
            atomic_load_explicit(&generations[tag.slot], memory_order_acquire) != tag.generation)
            return false;
    }
    return true;
}

static bool is_wanted(const struct search *search, const struct view *view)
{
    return view->item.hash == search->hash && view->item.key_length == search->key_length &&
           memcmp(view->key, search->key, search->key_length) == 0;
}

static bool is_valid(const struct search *search, const struct view *view)
{
    uint32_t generation =
        atomic_load_explicit(&search->segment->header->generation, memory_order_acquire);
    return view->item.generation == generation &&
           (view->item.expires_ms == 0 || view->item.expires_ms > search->now_ms) &&
           tags_hold(search->segment, view);
}

static bool copy_piece(char **to, size_t *left, const char *from, size_t length)
{
    if (length > *left)
        return false;
    memcpy(*to, from, length);
    *to += length;
    *left -= length;
    return true;
}

static bool copy_large(const struct segment *segment, const struct view *view, char *to)
{
    size_t left = view->item.value_length;
    size_t first = (size_t)(view->end - view->value);
    segment_ref ref;

    if (first < sizeof ref)
        return false;
    memcpy(&ref, view->value, sizeof ref);
    first -= sizeof ref;
    if (!copy_piece(&to, &left, view->value + sizeof ref, first < left ? first : left))
        return false;
    while (left > 0) {
        struct segment_chunk chunk;
        if (!in_heap(segment, ref, sizeof chunk))
            return false;
        memcpy(&chunk, at(segment, ref), sizeof chunk);
        const char *bytes = at(segment, ref) + sizeof chunk;
        const char *end = extent_end(segment, ref, chunk.extent.size);
        if (!end || end < bytes || (size_t)(end - bytes) < chunk.length || chunk.length == 0 ||
            !copy_piece(&to, &left, bytes, chunk.length))
            return false;
        ref = chunk.next;
    }
    return true;
}

static bool copy_value(const struct segment *segment, const struct view *view, char *to)
{
    if (view->item.bits & ITEM_LARGE)
        return copy_large(segment, view, to);
    if ((size_t)(view->end - view->value) < view->item.value_length)
        return false;
    memcpy(to, view->value, view->item.value_length);
    return true;
}

// Walks a chain once. true: an item of that key was found and view is it; *ended: the chain was
// seen to its end without one.
static bool find(const struct search *search, segment_ref ref, struct view *view, bool *ended)
{
    for (int steps = 0; ref != 0 && steps < CHAIN_MAX; steps++) {
        if (!view_item(search->segment, ref, view))
            return false;
        if (is_wanted(search, view))
            return true;
        ref = view->item.next;
    }
    *ended = ref == 0;
    return false;
}

// The page is of this version: before what is read is believed as much as after it was read.
static bool is_ours(const struct segment *segment)
{
    return atomic_load_explicit(&segment->header->version, memory_order_relaxed) == SEGMENT_VERSION;
}

static bool unchanged(const struct segment *segment, const struct segment_bucket *bucket,
                      uint32_t version)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&bucket->version, memory_order_relaxed) == version &&
           is_ours(segment);
}

// One try. SEGMENT_BUSY: what was read may be nonsense.
static enum segment_answer try_get(const struct search *search, const struct segment_bucket *bucket,
                                   void *(*allocate)(void *context, size_t length), void *context,
                                   struct segment_found *found)
{
    struct view view;
    bool ended = false, valid = false;
    uint32_t version = atomic_load_explicit(&bucket->version, memory_order_acquire);
    segment_ref head = atomic_load_explicit(&bucket->head, memory_order_relaxed);

    if (version % 2 != 0)
        return SEGMENT_BUSY;
    bool present = find(search, head, &view, &ended);
    if (present)
        valid = is_valid(search, &view);
    // Not before this is known to be no nonsense is it worth memory.
    if ((!present && !ended) || !unchanged(search->segment, bucket, version))
        return SEGMENT_BUSY;
    if (!valid)
        return SEGMENT_MISS;
    if (view.item.value_length > search->segment->size ||
        !(found->value = allocate(context, view.item.value_length)))
        return SEGMENT_MISS;
    found->length = view.item.value_length;
    found->expires_ms = view.item.expires_ms;
    return copy_value(search->segment, &view, found->value) &&
                   unchanged(search->segment, bucket, version)
               ? SEGMENT_HIT
               : SEGMENT_BUSY;
}

enum segment_answer segment_get(const struct segment *segment, const char *key, size_t key_length,
                                uint64_t now_ms, void *(*allocate)(void *context, size_t length),
                                void *context, struct segment_found *found)
{
    if (!segment->base)
        return SEGMENT_MISS;
    uint64_t hash = segment_hash(key, key_length);
    const struct segment_bucket *buckets =
        (const struct segment_bucket *)at(segment, segment->regions.buckets_at);
    const struct segment_bucket *bucket = &buckets[hash & segment->regions.bucket_mask];
    struct search search = {segment, key, key_length, (uint32_t)(hash >> 32), now_ms};
    enum segment_answer answer = SEGMENT_BUSY;

    for (int i = 0; i < SEGMENT_TRIES && answer == SEGMENT_BUSY; i++)
        answer = try_get(&search, bucket, allocate, context, found);
    return answer;
}
