// Changes that wait for Redis: their order, what several of one key become, tries, the limit.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mirror_queue.h"

enum { ROOMY = 1 << 20 };

static struct mirror_queue *queue;

static void set_up(void)
{
    queue = mirror_queue_new(ROOMY);
}

static void tear_down(void)
{
    mirror_queue_free(queue);
}

static void add(const char *key, enum mirror_change_kind kind)
{
    ck_assert(mirror_queue_add(queue, key, strlen(key), kind));
}

static struct mirror_change *take(const char *key)
{
    struct mirror_change *change = mirror_queue_take(queue);
    ck_assert_ptr_nonnull(change);
    ck_assert_uint_eq(change->length, strlen(key));
    ck_assert_mem_eq(change->key, key, change->length);
    return change;
}

static void expect(const char *key, enum mirror_change_kind kind)
{
    struct mirror_change *change = take(key);
    ck_assert_msg(change->kind == kind, "%s: %d instead of %d", key, change->kind, kind);
    free(change);
}

static void expect_empty(void)
{
    ck_assert_uint_eq(mirror_queue_count(queue), 0);
    ck_assert_ptr_null(mirror_queue_take(queue));
}

START_TEST(first_changed_is_first)
{
    add("b", CHANGE_WRITE);
    add("a", CHANGE_WRITE);
    add("c", CHANGE_WRITE);
    add("b", CHANGE_WRITE); // keeps its place
    ck_assert_uint_eq(mirror_queue_count(queue), 3);
    expect("b", CHANGE_WRITE);
    add("b", CHANGE_WRITE); // a new one
    expect("a", CHANGE_WRITE);
    expect("c", CHANGE_WRITE);
    expect("b", CHANGE_WRITE);
    expect_empty();
    add("d", CHANGE_WRITE); // also after it was empty
    expect("d", CHANGE_WRITE);
    expect_empty();
}
END_TEST

START_TEST(it_knows_what_it_has)
{
    add("a", CHANGE_WRITE);
    ck_assert(mirror_queue_has(queue, "a", 1));
    ck_assert(!mirror_queue_has(queue, "ab", 2));
    ck_assert(!mirror_queue_has(queue, "", 0));
    expect("a", CHANGE_WRITE);
    ck_assert(!mirror_queue_has(queue, "a", 1));
}
END_TEST

START_TEST(keys_are_any_bytes)
{
    ck_assert(mirror_queue_add(queue, "a\0b", 3, CHANGE_WRITE));
    ck_assert(mirror_queue_add(queue, "a\0c", 3, CHANGE_WRITE));
    ck_assert(mirror_queue_add(queue, "a", 1, CHANGE_WRITE));
    ck_assert(mirror_queue_add(queue, "", 0, CHANGE_WRITE));
    ck_assert_uint_eq(mirror_queue_count(queue), 4);
    struct mirror_change *change = mirror_queue_take(queue);
    ck_assert_uint_eq(change->length, 3);
    ck_assert_mem_eq(change->key, "a\0b", 3);
    free(change);
    ck_assert(!mirror_queue_has(queue, "a\0b", 3));
    ck_assert(mirror_queue_has(queue, "a\0c", 3));
}
END_TEST

// What a key becomes that waits as the one and is changed as the other.
static const struct {
    enum mirror_change_kind first, then, both;
} both[] = {
    {CHANGE_ANNOUNCE, CHANGE_ANNOUNCE, CHANGE_ANNOUNCE},
    {CHANGE_ANNOUNCE, CHANGE_FORGET, CHANGE_FORGET},
    {CHANGE_ANNOUNCE, CHANGE_WRITE, CHANGE_WRITE},
    {CHANGE_ANNOUNCE, CHANGE_DELETE, CHANGE_DELETE},
    {CHANGE_FORGET, CHANGE_ANNOUNCE, CHANGE_FORGET},
    {CHANGE_FORGET, CHANGE_FORGET, CHANGE_FORGET},
    {CHANGE_FORGET, CHANGE_WRITE, CHANGE_WRITE},
    {CHANGE_FORGET, CHANGE_DELETE, CHANGE_DELETE},
    {CHANGE_WRITE, CHANGE_ANNOUNCE, CHANGE_WRITE},
    {CHANGE_WRITE, CHANGE_FORGET, CHANGE_WRITE},
    {CHANGE_WRITE, CHANGE_WRITE, CHANGE_WRITE},
    {CHANGE_WRITE, CHANGE_DELETE, CHANGE_DELETE},
    {CHANGE_DELETE, CHANGE_ANNOUNCE, CHANGE_DELETE},
    {CHANGE_DELETE, CHANGE_FORGET, CHANGE_DELETE},
    {CHANGE_DELETE, CHANGE_WRITE, CHANGE_WRITE}, // a new value, that Redis may take
    {CHANGE_DELETE, CHANGE_DELETE, CHANGE_DELETE},
};
enum { PAIRS = sizeof both / sizeof *both };

START_TEST(two_changes_become_one)
{
    add("a", both[_i].first);
    add("a", both[_i].then);
    ck_assert_uint_eq(mirror_queue_count(queue), 1);
    expect("a", both[_i].both);
    expect_empty();
}
END_TEST

// The same when the first was on its way meanwhile.
START_TEST(one_that_comes_back_joins_the_newer)
{
    add("a", both[_i].first);
    struct mirror_change *lost = take("a");
    add("b", CHANGE_WRITE);
    add("a", both[_i].then);
    ck_assert(mirror_queue_put_back(queue, lost));
    ck_assert_uint_eq(mirror_queue_count(queue), 2);
    expect("b", CHANGE_WRITE);
    expect("a", both[_i].both);
    expect_empty();
}
END_TEST

START_TEST(one_that_comes_back_is_last)
{
    add("a", CHANGE_WRITE);
    add("b", CHANGE_WRITE);
    ck_assert(mirror_queue_put_back(queue, take("a")));
    ck_assert(mirror_queue_has(queue, "a", 1));
    expect("b", CHANGE_WRITE);
    expect("a", CHANGE_WRITE);
    expect_empty();
}
END_TEST

static void lose(const char *key)
{
    ck_assert(mirror_queue_put_back(queue, take(key)));
}

START_TEST(a_value_that_never_arrives_is_deleted)
{
    add("a", CHANGE_WRITE);
    for (unsigned i = 1; i < CHANGE_TRIES; ++i)
        lose("a");
    struct mirror_change *change = take("a");
    ck_assert_int_eq(change->kind, CHANGE_WRITE);
    ck_assert_uint_eq(change->tries, CHANGE_TRIES - 1);
    ck_assert(mirror_queue_put_back(queue, change));
    expect("a", CHANGE_DELETE);
}
END_TEST

START_TEST(only_values_are_given_up)
{
    static const enum mirror_change_kind kinds[] = {CHANGE_ANNOUNCE, CHANGE_FORGET, CHANGE_DELETE};
    add("a", kinds[_i]);
    for (unsigned i = 0; i < 2 * CHANGE_TRIES; ++i)
        lose("a");
    expect("a", kinds[_i]);
}
END_TEST

START_TEST(a_new_value_has_tries_of_its_own)
{
    add("a", CHANGE_WRITE);
    for (unsigned i = 1; i < CHANGE_TRIES; ++i)
        lose("a");
    add("a", CHANGE_WRITE); // while it waits
    lose("a");
    struct mirror_change *lost = take("a");
    ck_assert_int_eq(lost->kind, CHANGE_WRITE);
    add("a", CHANGE_WRITE); // while it is on its way
    lost->tries = CHANGE_TRIES;
    ck_assert(mirror_queue_put_back(queue, lost));
    for (unsigned i = 1; i < CHANGE_TRIES; ++i)
        lose("a");
    expect("a", CHANGE_WRITE);
}
END_TEST

// How many keys of three bytes it takes.
static unsigned fill(void)
{
    char key[8];
    unsigned count = 0;
    do
        snprintf(key, sizeof key, "%03u", count);
    while (mirror_queue_add(queue, key, 3, CHANGE_WRITE) && ++count < 1000);
    return count;
}

static void limit_to(size_t bytes)
{
    mirror_queue_free(queue);
    queue = mirror_queue_new(bytes);
}

START_TEST(it_has_a_limit)
{
    static char large[4096];
    limit_to(sizeof large);
    unsigned count = fill();
    ck_assert_uint_gt(count, 5);
    ck_assert_uint_lt(count, sizeof large / 3);
    ck_assert_uint_eq(mirror_queue_count(queue), count);
    ck_assert(!mirror_queue_has(queue, "999", 3));
    ck_assert(mirror_queue_add(queue, "000", 3, CHANGE_DELETE)); // takes no more room

    struct mirror_change *change = take("000");
    ck_assert(mirror_queue_add(queue, "new", 3, CHANGE_WRITE)); // in its place
    ck_assert(!mirror_queue_put_back(queue, change));
    ck_assert(!mirror_queue_has(queue, "000", 3));
    ck_assert_uint_eq(mirror_queue_count(queue), count);

    mirror_queue_clear(queue);
    expect_empty();
    ck_assert(!mirror_queue_has(queue, "001", 3));
    ck_assert(!mirror_queue_add(queue, large, sizeof large, CHANGE_WRITE)); // the key alone
    ck_assert_uint_eq(fill(), count);
}
END_TEST

// None of its bytes is forgotten when keys come back, join and go.
START_TEST(room_is_given_back)
{
    limit_to(4096);
    unsigned count = fill();
    for (unsigned i = 0; i < 10 * count; ++i) {
        struct mirror_change *change = mirror_queue_take(queue);
        if (i % 3 == 0)
            ck_assert(mirror_queue_add(queue, change->key, change->length, CHANGE_WRITE));
        if (i % 7 != 0)
            ck_assert(mirror_queue_put_back(queue, change));
        else
            free(change);
    }
    mirror_queue_clear(queue);
    ck_assert_uint_eq(fill(), count);
}
END_TEST

START_TEST(with_no_room_nothing_is_taken)
{
    limit_to(0);
    ck_assert(!mirror_queue_add(queue, "a", 1, CHANGE_WRITE));
    expect_empty();
    mirror_queue_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mirror_queue");
    TCase *tests = tcase_create("mirror_queue");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, first_changed_is_first);
    tcase_add_test(tests, it_knows_what_it_has);
    tcase_add_test(tests, keys_are_any_bytes);
    tcase_add_loop_test(tests, two_changes_become_one, 0, PAIRS);
    tcase_add_loop_test(tests, one_that_comes_back_joins_the_newer, 0, PAIRS);
    tcase_add_test(tests, one_that_comes_back_is_last);
    tcase_add_test(tests, a_value_that_never_arrives_is_deleted);
    tcase_add_loop_test(tests, only_values_are_given_up, 0, 3);
    tcase_add_test(tests, a_new_value_has_tries_of_its_own);
    tcase_add_test(tests, it_has_a_limit);
    tcase_add_test(tests, room_is_given_back);
    tcase_add_test(tests, with_no_room_nothing_is_taken);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
