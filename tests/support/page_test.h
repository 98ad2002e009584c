// For unit tests of who reads the cache: a page that the test writes itself.
#ifndef GW_TEST_PAGE_TEST_H
#define GW_TEST_PAGE_TEST_H

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/segment.h"

enum { PAGE_TEST_SIZE = 1 << 20 };

struct test_page {
    int fd;
    char *base;
    struct segment_header *header;
    segment_ref end; // of what is used
};

static struct test_page test_page;

static inline void page_test_open(void)
{
    struct err err;
    test_page.fd = memfd_create("cache", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(test_page.fd, PAGE_TEST_SIZE), 0);
    void *base = mmap(NULL, PAGE_TEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, test_page.fd, 0);
    ck_assert_ptr_ne(base, MAP_FAILED);
    ck_assert_int_eq(segment_format(base, PAGE_TEST_SIZE, &err), 0);
    segment_publish(base);
    test_page.base = base;
    test_page.header = base;
    test_page.end = test_page.header->heap_at;
}

static inline void page_test_close(void)
{
    munmap(test_page.base, PAGE_TEST_SIZE);
    close(test_page.fd);
}

static inline struct segment_bucket *page_test_bucket(uint64_t hash)
{
    struct segment_bucket *buckets =
        (struct segment_bucket *)(test_page.base + test_page.header->buckets_at * SEGMENT_UNIT);
    return &buckets[hash & test_page.header->bucket_mask];
}

// From now on this is what stands under the key; its memory is never used again.
static inline void page_test_put(const char *key, size_t key_length, const void *value,
                                 size_t length)
{
    uint64_t hash = segment_hash(key, key_length);
    struct segment_bucket *bucket = page_test_bucket(hash);
    uint32_t units = segment_item_units(key_length, 0, length);
    struct segment_item item = {.extent = {units | EXTENT_USED},
                                .next = bucket->head,
                                .hash = (uint32_t)(hash >> 32),
                                .generation = test_page.header->generation,
                                .value_length = (uint32_t)length,
                                .key_length = (uint16_t)key_length};
    char *at = test_page.base + (size_t)test_page.end * SEGMENT_UNIT;
    ck_assert_uint_le(test_page.end + units, test_page.header->heap_end);
    memcpy(at, &item, sizeof item);
    memcpy(at + sizeof item, key, key_length);
    memcpy(at + sizeof item + key_length, value, length);
    bucket->head = test_page.end;
    test_page.end += units;
}

// Nothing stands under the key.
static inline void page_test_remove(const char *key, size_t key_length)
{
    page_test_bucket(segment_hash(key, key_length))->head = 0;
}

#endif
