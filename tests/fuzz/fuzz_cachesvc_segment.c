// A cache page whose bytes are anything, read as a gateway worker reads it: no crash, nothing read
// outside of the page, no more memory asked for than there can be in it, and always an end. What
// was not damaged is found; the same page mapped a second time gives the same answers.
//
// An input is a byte of flags, the number of units that may be allocated, and then changes: where,
// and what is written there. The places that matter most have numbers of their own.
//
// covers: common/segment.c
#include <stdint.h>
#include <xxhash.h>

#include "cache_page.h"

enum { CHANGES_MAX = 64, MISSING = 3 };

enum { FLAG_SIGN = 1, FLAG_MAP = 2, FLAG_LATE = 4 };

enum place {
    PLACE_ANY,
    PLACE_HEADER,
    PLACE_BUCKET,
    PLACE_ITEM,
    PLACE_CHUNK,
    PLACE_NEXT_CHUNK,
    PLACE_GENERATION,
    PLACE_TAG_GENERATION,
    PLACES
};

static int page_file;
static char *page;   // the file, mapped
static char *intact; // its bytes as they were
static struct {
    segment_ref item, chunk, next_chunk;
} keys[CACHE_PAGE_KEYS];

static struct {
    size_t at, length;
} changes[CHANGES_MAX];
static size_t change_count;

// A lookup, and what was asked of its caller.
struct lookup {
    enum segment_answer answer;
    struct segment_found found;
    char *memory;
    size_t length, most;
    unsigned calls;
};

static segment_ref next_chunk(segment_ref ref)
{
    return ((const struct segment_chunk *)(page + (size_t)ref * SEGMENT_UNIT))->next;
}

static void check_mapping(void)
{
    struct segment segment;
    struct err err;
    int empty = memfd_create("empty", MFD_CLOEXEC);
    require(segment_map(&segment, -1, &err) == -1 && segment_map(&segment, empty, &err) == -1);
    require(ftruncate(empty, CACHE_PAGE_SIZE) == 0 && segment_map(&segment, empty, &err) == -1);
    segment_unmap(&segment);
    close(empty);
}

static void set_up(void)
{
    if (page != NULL)
        return;
    page_file = cache_page_file();
    page = cache_page_map(page_file);
    cache_page_fill(page);
    for (unsigned number = 0; number < CACHE_PAGE_KEYS; number++) {
        keys[number].item = cache_page_item(page, number);
        if (number < CACHE_PAGE_LARGE)
            continue;
        keys[number].chunk = cache_page_chunk(page, number);
        keys[number].next_chunk = next_chunk(keys[number].chunk);
    }
    intact = malloc(CACHE_PAGE_SIZE);
    require(intact != NULL);
    memcpy(intact, page, CACHE_PAGE_SIZE);
    check_mapping();
}

// --- damage -------------------------------------------------------------------------------------

static size_t place_at(struct input *input, uint32_t place)
{
    const struct segment_header *header = (const struct segment_header *)intact;
    uint32_t number = place == PLACE_ANY ? 0 : input_number(input, 1);
    uint32_t key = number % CACHE_PAGE_KEYS;
    uint32_t large = CACHE_PAGE_LARGE + number % (CACHE_PAGE_KEYS - CACHE_PAGE_LARGE);
    switch ((enum place)place) {
    case PLACE_HEADER:
        return number;
    case PLACE_BUCKET:
        return (size_t)((char *)cache_page_bucket(intact, key) - intact);
    case PLACE_ITEM:
        return (size_t)keys[key].item * SEGMENT_UNIT;
    case PLACE_CHUNK:
        return (size_t)keys[large].chunk * SEGMENT_UNIT;
    case PLACE_NEXT_CHUNK:
        return (size_t)keys[large].next_chunk * SEGMENT_UNIT;
    case PLACE_GENERATION:
        return offsetof(struct segment_header, generation);
    case PLACE_TAG_GENERATION:
        return (size_t)header->tags_at * SEGMENT_UNIT +
               segment_tag_slot(header, "red", 3) * sizeof(uint32_t);
    case PLACE_ANY:
    case PLACES:
        break;
    }
    return input_number(input, 3);
}

// A reference to something of that kind: chains that join, and loops.
static segment_ref some_reference(struct input *input)
{
    const struct segment_header *header = (const struct segment_header *)intact;
    uint32_t number = input_number(input, 1);
    uint32_t key = number / 4 % CACHE_PAGE_KEYS;
    switch (number % 4) {
    case 0:
        return keys[key].item;
    case 1:
        return keys[key].chunk;
    case 2:
        return keys[key].next_chunk;
    default:
        return header->heap_end - key;
    }
}

static void change(struct input *input)
{
    uint32_t kind = input_number(input, 1), length = 1 + kind / PLACES % 8;
    bool is_reference = kind >= 128;
    size_t at = place_at(input, kind % PLACES);
    if (kind % PLACES != PLACE_ANY)
        at += input_number(input, 1) % 64;
    uint8_t bytes[8] = {0};
    segment_ref ref = is_reference ? some_reference(input) : 0;
    if (is_reference)
        length = sizeof ref;
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(is_reference ? ref >> (8 * i) : input_number(input, 1));
    at %= CACHE_PAGE_SIZE - sizeof bytes;
    memcpy(page + at, bytes, length);
    changes[change_count].at = at;
    changes[change_count++].length = length;
}

static void undo_changes(void)
{
    for (; change_count > 0; change_count--)
        memcpy(page + changes[change_count - 1].at, intact + changes[change_count - 1].at,
               changes[change_count - 1].length);
    memcpy(page, intact, sizeof(struct segment_header));
}

// With a checksum that fits, a header is refused for what it says.
static void sign(void)
{
    struct segment_header *header = (struct segment_header *)page;
    size_t from = offsetof(struct segment_header, version);
    header->checksum =
        (uint32_t)XXH3_64bits(page + from, offsetof(struct segment_header, checksum) - from);
}

// --- reading ------------------------------------------------------------------------------------

static void *allocate(void *context, size_t length)
{
    struct lookup *lookup = context;
    require(length <= CACHE_PAGE_SIZE && ++lookup->calls <= SEGMENT_TRIES);
    free(lookup->memory);
    lookup->memory = length <= lookup->most ? malloc(length) : NULL;
    lookup->length = length;
    return lookup->memory;
}

static struct lookup look_up(const struct segment *segment, const char *key, uint64_t now_ms,
                             size_t most)
{
    struct lookup lookup = {.most = most};
    lookup.answer =
        segment_get(segment, key, strlen(key), now_ms, allocate, &lookup, &lookup.found);
    if (lookup.answer == SEGMENT_HIT) {
        require(lookup.found.value == lookup.memory && lookup.found.length == lookup.length);
        require(lookup.found.expires_ms == 0 || lookup.found.expires_ms > now_ms);
    }
    return lookup;
}

static void require_same(const struct lookup *one, const struct lookup *other)
{
    require(one->answer == other->answer);
    if (one->answer != SEGMENT_HIT)
        return;
    require(one->found.length == other->found.length);
    require(memcmp(one->found.value, other->found.value, one->found.length) == 0);
}

static void read_key(const struct segment *segment, const struct segment *second, unsigned number,
                     uint64_t now_ms, size_t most)
{
    char key[CACHE_PAGE_KEY_SIZE];
    cache_page_key(number, key);
    struct lookup lookup = look_up(segment, key, now_ms, most);
    if (second->base != NULL) {
        struct lookup other = look_up(second, key, now_ms, most);
        require_same(&lookup, &other);
        free(other.memory);
    }
    if (change_count == 0 && now_ms == CACHE_PAGE_NOW_MS) {
        bool there = number < CACHE_PAGE_KEYS && cache_page_length(number) <= most;
        require(lookup.answer == (there ? SEGMENT_HIT : SEGMENT_MISS));
        require(!there || cache_page_is_value(number, lookup.found.value, lookup.found.length));
    }
    free(lookup.memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    set_up();
    uint32_t flags = input_number(&input, 1);
    size_t most = (255 - input_number(&input, 1)) * (CACHE_PAGE_SIZE / 255);
    while (input.at < input.end && change_count < CHANGES_MAX)
        change(&input);
    if (flags & FLAG_SIGN)
        sign();

    struct segment segment = segment_of(page, CACHE_PAGE_SIZE);
    struct segment second = {0};
    struct err err;
    if (segment_check(page, CACHE_PAGE_SIZE, &err) == 0) {
        uint64_t now_ms = CACHE_PAGE_NOW_MS + (flags & FLAG_LATE ? 60001 : 0);
        if (flags & FLAG_MAP)
            require(segment_map(&second, page_file, &err) == 0);
        for (unsigned number = 0; number < CACHE_PAGE_KEYS + MISSING; number++)
            read_key(&segment, &second, number, now_ms, most);
        segment_unmap(&second);
    } else {
        require(err.text[0] != '\0' && segment_map(&second, page_file, &err) == -1);
    }
    undo_changes();
    return 0;
}
