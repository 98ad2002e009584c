// Keys that gateway workers have read stay when others have to go.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "touches.h"

enum { SIZE = 1 << 20, POPULAR = 50 };

static void *base;
static struct store *store;
static struct state_page *page;
static struct touches touches;

static void set_up(void)
{
    struct err err;
    base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    store = store_open(base, SIZE, 1, &err);
    ck_assert_ptr_nonnull(store);
    page = calloc(1, sizeof *page);
    touches = (struct touches){.page = page};
}

static void tear_down(void)
{
    store_close(store);
    munmap(base, SIZE);
    free(page);
}

static size_t name(int number, char key[16])
{
    return (size_t)snprintf(key, 16, "key%d", number);
}

static void set(int number)
{
    static const char value[900];
    struct err err;
    char key[16];
    struct store_set with = {
        .key = key, .key_length = name(number, key), .value = value, .length = sizeof value};
    ck_assert_int_eq(store_set(store, &with, 1, &err), 0);
}

// As a worker does.
static void read_key(size_t column, int number)
{
    struct state_column *of = &page->column[column];
    char key[16];
    size_t length = name(number, key);
    uint32_t count = atomic_load(&of->touch_count);
    atomic_store(&of->touched[count % STATE_TOUCHES], segment_hash(key, length));
    atomic_store(&of->touch_count, count + 1);
}

static int count_kept(void)
{
    struct store_value value;
    char key[16];
    int kept = 0;
    for (int i = 0; i < POPULAR; i++)
        kept += store_peek(store, key, name(i, key), 1, &value);
    return kept;
}

static void fill(size_t column)
{
    for (int i = 0; i < POPULAR; i++)
        set(i);
    for (int i = 0; i < POPULAR; i++)
        read_key(column, i);
    touches_take(&touches, store);
    for (int i = POPULAR; i < 2000; i++)
        set(i);
}

START_TEST(what_was_read_stays)
{
    fill(3);
    ck_assert_int_eq(count_kept(), POPULAR);
}
END_TEST

START_TEST(what_nobody_told_goes)
{
    touches.page = NULL;
    fill(3);
    ck_assert_int_eq(count_kept(), 0);
}
END_TEST

START_TEST(each_is_taken_once)
{
    touches_take(&touches, store);
    read_key(0, 1);
    touches_take(&touches, store);
    ck_assert_uint_eq(touches.seen[0], 1);
    touches_take(&touches, store);
    ck_assert_uint_eq(touches.seen[0], 1);
}
END_TEST

START_TEST(a_counter_may_jump)
{
    set(1);
    atomic_store(&page->column[0].touch_count, UINT32_MAX);
    touches_take(&touches, store);
    atomic_store(&page->column[0].touch_count, 5); // past its end
    touches_take(&touches, store);
    memset(&page->column[0], 0, sizeof page->column[0]); // another worker's now
    touches_take(&touches, store);
    ck_assert_uint_eq(touches.seen[0], 0);
    ck_assert(store_is_sound(store));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("touches");
    TCase *tests = tcase_create("touches");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_was_read_stays);
    tcase_add_test(tests, what_nobody_told_goes);
    tcase_add_test(tests, each_is_taken_once);
    tcase_add_test(tests, a_counter_may_jump);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
