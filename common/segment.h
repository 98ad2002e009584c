// The cache segment: one memory page (a memfd) with every key of the cache. cachesvc is its only
// writer; gateway workers map it read-only and find a key without asking anybody.
//
//   header | tag generations | buckets | heap
//
// Everything refers to everything by offsets in units of 8 bytes from the start of the page
// (`segment_ref`; 0: nothing), never by pointers. The heap is tiled by extents without a gap; an
// item is an extent with a key and a value, of which a large one goes on in further extents.
//
// Reading while the writer writes (a seqlock a bucket): whoever changes the chain of a bucket, or
// anything in an item of it, makes the bucket's version odd before and even after. A reader copies
// what it wants and looks at the version again: the same even number before and after means that
// the copy is whole. Memory is used again only after its item was unlinked, so a copy of an item
// that went away fails the same way. A reader never waits: after a few tries it takes the key for
// absent. What it reads in between may be nonsense, so every offset and length is checked.
//
// Values that are purged at one stroke: an item carries the generation of the page and of each of
// its tags from the time it was stored. Is one of them another now, the item is not there.
#ifndef GW_COMMON_SEGMENT_H
#define GW_COMMON_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/layout.h"

#define SEGMENT_MAGIC UINT64_C(0x3147455345484347) // "GCHESEG1"
#define SEGMENT_VERSION LAYOUT_VERSION(4)

enum {
    SEGMENT_UNIT = 8, // offsets and sizes count these
    SEGMENT_CLASSES = 128,
    SEGMENT_WHEEL_LEVELS = 4,
    SEGMENT_WHEEL_SLOTS = 64,
    SEGMENT_KEY_MAX = 65535,
    SEGMENT_TAGS_MAX = 64,        // an item
    SEGMENT_TAG_SLOTS_MIN = 4096, // a power of two
    SEGMENT_TRIES = 8,            // of a reader
    SEGMENT_SILENT_MS = 3000,     // without a beat of the writer: it does not answer
};

typedef uint32_t segment_ref;

// A value's bytes behind the key and tags of an item, or of a further extent, begin at the next
// byte: nothing is aligned there.
struct segment_extent {
    uint32_t size; // in units, with the two bits below
};

enum {
    EXTENT_USED = 1u << 31,
    EXTENT_AFTER_FREE = 1u << 30, // the extent before it is free
    EXTENT_SIZE = EXTENT_AFTER_FREE - 1,
};

enum segment_queue { SEGMENT_NO_QUEUE, SEGMENT_SMALL, SEGMENT_MAIN, SEGMENT_QUEUES };

enum {
    ITEM_QUEUE = 3,         // enum segment_queue
    ITEM_FREQUENCY_ONE = 4, // two bits: touched 0 to 3 times
    ITEM_FREQUENCY = 3 * 4,
    ITEM_LARGE = 16,  // the value begins with the segment_ref of its next extent
    ITEM_MARKED = 32, // while the writer recovers
};

struct segment_item {
    struct segment_extent extent;
    segment_ref next; // in the bucket
    uint32_t hash;    // the upper half; the lower one chose the bucket
    segment_ref queue_newer, queue_older;
    uint32_t wheel_before; // a segment_ref, or WHEEL_HEAD with the number of its slot
    segment_ref wheel_after;
    uint32_t generation;
    uint64_t expires_ms; // clock_wall_ms; 0: never
    uint32_t value_length;
    uint16_t key_length;
    uint8_t tag_count;
    uint8_t bits;
    // then: struct segment_tag[tag_count], the key, the value (or, of a large one, a segment_ref
    // and its beginning)
};

enum { WHEEL_HEAD = 1u << 31 };

enum { SEGMENT_NO_REDIS, SEGMENT_REDIS };

struct segment_tag {
    uint32_t slot; // in the table of generations
    uint32_t generation;
};

// A further extent of a large value.
struct segment_chunk {
    struct segment_extent extent;
    segment_ref next; // 0: the last
    uint32_t length;  // of its bytes, which follow
};

struct segment_bucket {
    _Atomic uint32_t version;
    _Atomic segment_ref head;
};

// The first part is written once, by a writer of each version; the rest is the writer's
// book-keeping, which readers leave alone but for `generation`, what begins with `redis`,
// `beat_ms`, and numbers to show.
struct segment_header {
    uint64_t magic;
    _Atomic uint32_t version;
    uint32_t tag_mask;                               // number of tag generations - 1
    uint32_t bucket_mask;                            // number of buckets - 1
    uint32_t tags_at, buckets_at, heap_at, heap_end; // in units
    uint64_t size;                                   // of the page, in bytes
    uint32_t checksum;                               // over the fields before it, but for the magic

    _Atomic uint32_t generation; // of everything: FLUSHALL changes it
    // A worker that misses lets cachesvc look in Redis (EXISTS) for so long; 0: there is none.
    _Atomic uint32_t redis_wait_ms;
    // Whether there is a Redis, and how it is: SEGMENT_NO_REDIS, or else SEGMENT_REDIS plus the
    // state of the breaker in front of it (enum breaker_state). The last that was known when
    // cachesvc is away.
    _Atomic uint32_t redis;
    _Atomic uint32_t redis_is_critical; // 1: without it a gateway worker is not to be called ready
    uint32_t busy;                      // odd: the writer is, or died, in the middle of a change
    _Atomic uint64_t beat_ms;           // the writer's last beat, clock_mono_ms; 0: none yet
    uint64_t items, item_bytes;         // of this generation
    uint64_t free_bytes;
    struct {
        segment_ref newest, oldest;
        uint64_t bytes;
    } queue[SEGMENT_QUEUES];
    uint64_t wheel_tick; // the last one that was looked at
    segment_ref wheel[SEGMENT_WHEEL_LEVELS * SEGMENT_WHEEL_SLOTS];
    segment_ref free[SEGMENT_CLASSES];
    struct {
        uint64_t id;     // of this page among those that share a Redis; 0: never had one
        uint64_t birth;  // of what that Redis knows of them: another one when it began anew
        uint64_t epoch;  // grows with each batch of changes that goes to Redis
        uint64_t others; // the sum of the others' epochs, as far as their changes are known here
        uint32_t unsent; // 1: there are changes that Redis may not have
    } mirror;
};

// Where the regions of a page are, as its size says: of a writer of another version the header says
// otherwise, and its page is read by nobody, but may still be looked into when it is made.
struct segment_regions {
    uint32_t tag_mask, bucket_mask;
    uint32_t tags_at, buckets_at, heap_at, heap_end; // in units
};

struct segment {
    const char *base;
    const struct segment_header *header;
    size_t size;
    struct segment_regions regions;
};

// Lays a page out in memory of `size` bytes, all zero: its regions, not yet what is in them. It is
// a page from segment_publish on. -1: too small or too large.
#define SEGMENT_SIZE_MIN (UINT64_C(1) << 20)
#define SEGMENT_SIZE_MAX (UINT64_C(8) << 30)
int segment_format(void *base, uint64_t size, struct err *err) GW_MUST_USE;
void segment_publish(void *base);

// Whether memory of `size` bytes has the header of a page of this version, with the regions that a
// page of that size has.
int segment_check(const void *base, uint64_t size, struct err *err) GW_MUST_USE;

// The writer beats once a second from its event loop, so that one that was stopped, or hangs, can
// be told from one that has nothing to do: its process looks the same.
void segment_beat(struct segment_header *header, uint64_t now_mono_ms);

// Whether it did so in the last SEGMENT_SILENT_MS. One that has ended is alive for so long too:
// who can know that it has, asks that first.
bool segment_writer_is_alive(const struct segment_header *header, uint64_t now_mono_ms);

// What reads a page of `size` bytes at `base`, which is borrowed and was checked.
struct segment segment_of(const void *base, uint64_t size);

// Maps a page for reading; borrows fd. -1 with err: it is none.
int segment_map(struct segment *segment, int fd, struct err *err) GW_MUST_USE;

// Whether a page that was mapped is still one: a cachesvc of another version makes it its own.
int segment_recheck(const struct segment *segment, struct err *err) GW_MUST_USE;
void segment_unmap(struct segment *segment); // one that is not mapped is allowed

// The 64 bits from which bucket and item hash come.
uint64_t segment_hash(const char *key, size_t length);

// The slot of a tag in the table of generations. Two tags may share one: purging the one purges the
// other.
uint32_t segment_tag_slot(const struct segment_header *header, const char *tag, size_t length);

enum segment_answer {
    SEGMENT_HIT,
    SEGMENT_MISS,
    SEGMENT_BUSY, // it changed under every try
};

struct segment_found {
    char *value; // what `allocate` returned
    uint32_t length;
    uint64_t expires_ms; // 0: never
};

// Looks a key up and copies its value. `allocate` is called with its length, possibly several times
// (the value changed meanwhile), and gives memory for it; NULL: too much, which is a miss. One that
// is not mapped has nothing. Never blocks, never trusts what it reads.
enum segment_answer segment_get(const struct segment *segment, const char *key, size_t key_length,
                                uint64_t now_ms, void *(*allocate)(void *context, size_t length),
                                void *context, struct segment_found *found);

// How many units an item with these lengths takes, large values aside.
static inline uint32_t segment_item_units(size_t key_length, size_t tag_count, size_t value_length)
{
    size_t bytes = sizeof(struct segment_item) + tag_count * sizeof(struct segment_tag) +
                   key_length + value_length;
    return (uint32_t)((bytes + SEGMENT_UNIT - 1) / SEGMENT_UNIT);
}

#endif
