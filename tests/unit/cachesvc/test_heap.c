// Extents: random takes and gives against what must hold, and a heap whose lists were lost.

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "heap.h"

enum { SIZE = 1 << 20, HELD = 2000 };

static void *base;
static struct page page;
static struct heap heap;
static segment_ref held[HELD];
static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

static void set_up(void)
{
    struct err err;
    base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_eq(segment_format(base, SIZE, &err), 0);
    page = page_of(base);
    heap_format(&heap, &page);
    memset(held, 0, sizeof held);
    seed = 1;
}

static void tear_down(void)
{
    munmap(base, SIZE);
}

static uint32_t units_of(segment_ref ref)
{
    return ((struct segment_extent *)page_at(&page, ref))->size & EXTENT_SIZE;
}

static uint64_t heap_bytes(void)
{
    return (uint64_t)(page.header->heap_end - page.header->heap_at) * SEGMENT_UNIT;
}

START_TEST(all_of_it_can_be_had)
{
    ck_assert(heap_is_sound(&heap));
    ck_assert_uint_eq(page.header->free_bytes, heap_bytes());
    segment_ref ref = heap_take(&heap, page.header->heap_end - page.header->heap_at);
    ck_assert_uint_eq(ref, page.header->heap_at);
    ck_assert_uint_eq(page.header->free_bytes, 0);
    ck_assert_uint_eq(heap_take(&heap, HEAP_MIN_UNITS), 0);
    ck_assert_uint_eq(heap_take_piece(&heap, HEAP_PIECE_UNITS), 0);
    ck_assert(heap_is_sound(&heap));
    heap_give(&heap, ref);
    ck_assert(heap_is_sound(&heap));
    ck_assert_uint_eq(page.header->free_bytes, heap_bytes());
}
END_TEST

START_TEST(neighbours_become_one)
{
    segment_ref a = heap_take(&heap, 10), b = heap_take(&heap, 10), c = heap_take(&heap, 10);
    ck_assert_uint_eq(b, a + 10);
    ck_assert_uint_eq(c, b + 10);
    heap_give(&heap, a);
    heap_give(&heap, c); // with the rest behind it
    ck_assert(heap_is_sound(&heap));
    heap_give(&heap, b);
    ck_assert_uint_eq(units_of(a), page.header->heap_end - page.header->heap_at);
}
END_TEST

START_TEST(what_is_left_over_stays_inside)
{
    segment_ref a = heap_take(&heap, 10), b = heap_take(&heap, 10);
    heap_give(&heap, a);
    segment_ref again = heap_take(&heap, 10 - HEAP_MIN_UNITS + 1);
    ck_assert_uint_eq(again, a);
    ck_assert_uint_eq(units_of(a), 10);
    ck_assert(heap_is_sound(&heap));
    heap_give(&heap, b);
    ck_assert(heap_is_sound(&heap));
}
END_TEST

static void step(void)
{
    segment_ref *slot = &held[random_below(HELD)];
    if (*slot) {
        heap_give(&heap, *slot);
        *slot = 0;
        return;
    }
    uint32_t units = random_below(10) ? 1 + random_below(60) : 1 + random_below(3000);
    *slot = random_below(8) ? heap_take(&heap, units) : heap_take_piece(&heap, units);
    if (!*slot)
        return;
    uint32_t got = units_of(*slot);
    ck_assert(got >= units || got >= HEAP_PIECE_UNITS);
    // Whoever has it may write all of it behind its size.
    memset((char *)page_at(&page, *slot) + 4, 0xee, (size_t)got * SEGMENT_UNIT - 4);
}

static bool is_held(void *context, segment_ref ref)
{
    (void)context;
    for (size_t i = 0; i < HELD; i++) {
        if (held[i] == ref)
            return true;
    }
    return false;
}

START_TEST(random_takes_and_gives)
{
    for (int i = 0; i < 20000; i++) {
        step();
        if (i % 100 == 0)
            ck_assert_msg(heap_is_sound(&heap), "after %d steps", i);
    }
}
END_TEST

START_TEST(lists_are_found_again)
{
    struct heap other;
    for (int i = 0; i < 5000; i++)
        step();
    heap_open(&other, &page);
    ck_assert_uint_eq(other.piece_units, heap.piece_units);
    ck_assert_int_eq(memcmp(other.lists, heap.lists, sizeof heap.lists), 0);

    uint64_t free_bytes = page.header->free_bytes;
    segment_ref lost = heap_take(&heap, 20); // taken by a writer that died before it linked it
    ck_assert_uint_ne(lost, 0);
    memset(page.header->free, 0xff, sizeof page.header->free);
    ck_assert_int_eq(heap_rebuild(&heap, &page, is_held, NULL), 0);
    ck_assert(heap_is_sound(&heap));
    ck_assert_uint_eq(page.header->free_bytes, free_bytes);
    for (int i = 0; i < 5000; i++)
        step();
    ck_assert(heap_is_sound(&heap));
}
END_TEST

START_TEST(sizes_that_do_not_tile_are_refused)
{
    segment_ref ref = heap_take(&heap, 20);
    ((struct segment_extent *)page_at(&page, ref))->size = EXTENT_USED | EXTENT_SIZE;
    ck_assert_int_eq(heap_rebuild(&heap, &page, is_held, NULL), -1);
    ((struct segment_extent *)page_at(&page, ref))->size = 0;
    ck_assert_int_eq(heap_rebuild(&heap, &page, is_held, NULL), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heap");
    TCase *tests = tcase_create("heap");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, all_of_it_can_be_had);
    tcase_add_test(tests, neighbours_become_one);
    tcase_add_test(tests, what_is_left_over_stays_inside);
    tcase_add_test(tests, random_takes_and_gives);
    tcase_add_test(tests, lists_are_found_again);
    tcase_add_test(tests, sizes_that_do_not_tile_are_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
