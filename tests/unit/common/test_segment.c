// Which memory is taken for a cache page. What is read in one: tests/unit/cachesvc/test_store.c.
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/segment.h"

enum { SIZE = 1 << 20 };

static struct segment_header *header;
static struct err err;

static void set_up(void)
{
    header = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(header, MAP_FAILED);
    ck_assert_int_eq(segment_format(header, SIZE, &err), 0);
    segment_publish(header);
}

static void tear_down(void)
{
    munmap(header, SIZE);
}

static void sign(void)
{
    const size_t from = offsetof(struct segment_header, version);
    header->checksum = (uint32_t)XXH3_64bits((const char *)header + from,
                                             offsetof(struct segment_header, checksum) - from);
}

static void check_refused(const char *reason)
{
    ck_assert_int_eq(segment_check(header, SIZE, &err), -1);
    ck_assert_str_eq(err.text, reason);
}

START_TEST(a_formatted_page_is_one)
{
    ck_assert_int_eq(segment_check(header, SIZE, &err), 0);
    ck_assert_uint_eq(header->heap_end, SIZE / SEGMENT_UNIT);
    ck_assert_uint_lt(header->buckets_at, header->heap_at);
}
END_TEST

START_TEST(its_book_keeping_may_be_anything)
{
    memset((char *)header + offsetof(struct segment_header, generation), 0xff,
           sizeof *header - offsetof(struct segment_header, generation));
    ck_assert_int_eq(segment_check(header, SIZE, &err), 0);
}
END_TEST

START_TEST(sizes_that_no_page_has)
{
    ck_assert_int_eq(segment_check(header, SEGMENT_SIZE_MIN - 8, &err), -1);
    ck_assert_int_eq(segment_check(header, SEGMENT_SIZE_MAX + 8, &err), -1);
    ck_assert_int_eq(segment_check(header, SIZE + 1, &err), -1);
    ck_assert_int_eq(segment_check(header, SIZE + 8, &err), -1);
    ck_assert_int_eq(segment_format(header, SEGMENT_SIZE_MIN - 8, &err), -1);
    ck_assert_int_eq(segment_format(header, SEGMENT_SIZE_MAX + 8, &err), -1);
    ck_assert_int_eq(segment_format(header, SIZE + 1, &err), -1);
}
END_TEST

START_TEST(an_empty_or_older_page_says_so)
{
    header->version++;
    check_refused("the cache page has version 5, not 4");
    header->magic = 0;
    check_refused("the cache page is none");
}
END_TEST

// Each byte of the layout, without and with a checksum that fits it.
START_TEST(a_layout_that_its_size_does_not_have)
{
    const size_t from = offsetof(struct segment_header, tag_mask);
    for (size_t at = from; at < offsetof(struct segment_header, checksum); at++) {
        unsigned char *byte = (unsigned char *)header + at;
        uint32_t checksum = header->checksum;
        *byte ^= 0x40;
        check_refused("the cache page is damaged");
        sign();
        check_refused("the cache page is damaged");
        *byte ^= 0x40;
        header->checksum = checksum;
    }
    ck_assert_int_eq(segment_check(header, SIZE, &err), 0);
    header->checksum++;
    check_refused("the cache page is damaged");
}
END_TEST

START_TEST(whether_its_writer_is_alive)
{
    static const struct {
        uint64_t beat_ms, now_ms;
        bool is_alive;
    } cases[] = {
        {0, 0, false}, // never
        {0, 1000, false},
        {1000, 1000, true},
        {1000, 1000 + SEGMENT_SILENT_MS, true},
        {1000, 1001 + SEGMENT_SILENT_MS, false},
        {1002, 1000, true}, // it read the clock after us
        {UINT64_MAX, 1000, true},
    };
    ck_assert(!segment_writer_is_alive(header, 1));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        segment_beat(header, cases[i].beat_ms);
        ck_assert_msg(segment_writer_is_alive(header, cases[i].now_ms) == cases[i].is_alive,
                      "case %zu", i);
    }
}
END_TEST

START_TEST(only_pages_are_mapped)
{
    struct segment segment;
    int fd = memfd_create("page", MFD_CLOEXEC);
    ck_assert_int_eq(segment_map(&segment, -1, &err), -1);
    ck_assert_int_eq(segment_map(&segment, fd, &err), -1);
    ck_assert_int_eq(ftruncate(fd, SIZE), 0);
    ck_assert_int_eq(segment_map(&segment, fd, &err), -1);
    ck_assert_ptr_null(segment.base);
    segment_unmap(&segment);

    ck_assert_int_eq(write(fd, header, sizeof *header), (ssize_t)sizeof *header);
    ck_assert_int_eq(segment_map(&segment, fd, &err), 0);
    ck_assert_uint_eq(segment.size, SIZE);
    segment_unmap(&segment);
    ck_assert_ptr_null(segment.base);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("segment");
    TCase *tests = tcase_create("segment");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_formatted_page_is_one);
    tcase_add_test(tests, its_book_keeping_may_be_anything);
    tcase_add_test(tests, sizes_that_no_page_has);
    tcase_add_test(tests, an_empty_or_older_page_says_so);
    tcase_add_test(tests, a_layout_that_its_size_does_not_have);
    tcase_add_test(tests, whether_its_writer_is_alive);
    tcase_add_test(tests, only_pages_are_mapped);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
