// The store against a model: what is set is found until it is deleted, expires or is purged, by us
// and by a reader of the segment.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "store.h"

enum { SIZE = 4 << 20, KEYS = 400, VALUE_MAX = 60000 };

static void *base;
static struct store *store;
static struct segment segment;
static uint64_t now_ms;
static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

static void open_store(void)
{
    struct err err;
    store = store_open(base, SIZE, now_ms, &err);
    ck_assert_msg(store != NULL, "%s", err.text);
    segment = segment_of(base, SIZE);
}

static void set_up(void)
{
    base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    now_ms = UINT64_C(1700000000000);
    seed = 7;
    open_store();
}

static void tear_down(void)
{
    ck_assert(store_is_sound(store));
    store_close(store);
    munmap(base, SIZE);
}

static int set_bytes(const char *key, const char *value, size_t length, uint64_t expires_ms)
{
    struct err err;
    struct store_set set = {.key = key,
                            .key_length = strlen(key),
                            .value = value,
                            .length = length,
                            .expires_ms = expires_ms};
    return store_set(store, &set, now_ms, &err);
}

static void set(const char *key, const char *value)
{
    ck_assert_int_eq(set_bytes(key, value, strlen(value), 0), 0);
}

static void *allocate(void *context, size_t length)
{
    static char bytes[SIZE];
    (void)context;
    return length <= sizeof bytes ? bytes : NULL;
}

// What a reader finds, NUL-terminated; NULL: nothing.
static const char *read_segment(const char *key, size_t *length)
{
    struct segment_found found;
    enum segment_answer answer =
        segment_get(&segment, key, strlen(key), now_ms, allocate, NULL, &found);
    ck_assert_int_ne(answer, SEGMENT_BUSY);
    if (answer == SEGMENT_MISS)
        return NULL;
    found.value[found.length] = '\0';
    *length = found.length;
    return found.value;
}

static void check_value(const char *key, const char *value, size_t length)
{
    static char copy[SIZE];
    struct store_value found;
    size_t seen = 0;
    const char *read = read_segment(key, &seen);
    if (!value) {
        ck_assert_msg(!store_get(store, key, strlen(key), now_ms, &found), "%s is there", key);
        ck_assert_msg(!read, "%s is there for readers", key);
        return;
    }
    ck_assert_msg(read && seen == length && memcmp(read, value, length) == 0, "%s is not read",
                  key);
    ck_assert_msg(store_get(store, key, strlen(key), now_ms, &found), "%s is missing", key);
    ck_assert_uint_eq(found.length, length);
    store_copy(store, &found, copy);
    ck_assert_int_eq(memcmp(copy, value, length), 0);
}

static void check(const char *key, const char *value)
{
    check_value(key, value, value ? strlen(value) : 0);
}

START_TEST(sets_replaces_deletes)
{
    check("a", NULL);
    set("a", "one");
    set("b", "");
    set("", "the empty key");
    check("a", "one");
    check("b", "");
    check("", "the empty key");
    set("a", "two");
    set("b", "no longer empty, and longer than it would fit where it was before");
    check("a", "two");
    ck_assert(store_delete(store, "a", 1, now_ms));
    ck_assert(!store_delete(store, "a", 1, now_ms));
    check("a", NULL);
    check("b", "no longer empty, and longer than it would fit where it was before");
}
END_TEST

START_TEST(expires)
{
    struct store_value value;
    set("stays", "x");
    ck_assert_int_eq(set_bytes("goes", "x", 1, now_ms + 1000), 0);
    ck_assert_int_eq(set_bytes("late", "x", 1, now_ms + 40 * UINT64_C(86400000)), 0);
    ck_assert(store_get(store, "stays", 5, now_ms, &value));
    store_expire(store, &value, now_ms + 5000);
    now_ms += 999;
    check("goes", "x");
    now_ms += 1;
    check("goes", NULL);
    check("stays", "x");
    ck_assert(store_get(store, "stays", 5, now_ms, &value));
    ck_assert_uint_eq(value.expires_ms, now_ms + 4000);
    store_expire(store, &value, 0);
    now_ms += 100000;
    check("stays", "x");
    check("late", "x");
}
END_TEST

START_TEST(gives_memory_of_expired_items_back)
{
    struct store_stats stats;
    char key[16];
    uint64_t last = 0;
    for (int i = 0; i < 5000; i++) {
        uint64_t in = (uint64_t)random_below(1u << random_below(31)) + 1;
        snprintf(key, sizeof key, "key%d", i);
        ck_assert_int_eq(set_bytes(key, "0123456789", 10, now_ms + in), 0);
        last = in > last ? in : last;
    }
    ck_assert(store_is_sound(store));
    for (uint64_t end = now_ms + last + 2000; now_ms < end;) {
        now_ms += 1 + (end - now_ms) / 3;
        while (store_expire_some(store, now_ms, 100))
            ;
        store_stats(store, &stats);
        ck_assert(store_is_sound(store));
    }
    ck_assert_uint_eq(stats.keys, 0);
    ck_assert_uint_eq(stats.expired, 5000);
}
END_TEST

START_TEST(purges_by_tag)
{
    struct err err;
    struct segment_tag tags[] = {store_tag(store, "red", 3), store_tag(store, "round", 5)};
    struct store_set tagged = {"t", 1, "tagged", 6, 0, tags, 2};
    ck_assert_int_eq(store_set(store, &tagged, now_ms, &err), 0);
    set("plain", "x");
    check("t", "tagged");
    store_purge_tag(store, "blue", 4);
    check("t", "tagged");
    store_purge_tag(store, "round", 5);
    check("t", NULL);
    check("plain", "x");
    // Stored with a tag as it was before the purge: never to be seen.
    ck_assert_int_eq(store_set(store, &tagged, now_ms, &err), 0);
    check("t", NULL);
    tags[1] = store_tag(store, "round", 5);
    ck_assert_int_eq(store_set(store, &tagged, now_ms, &err), 0);
    check("t", "tagged");
}
END_TEST

START_TEST(flushes_at_once)
{
    struct store_stats stats;
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        set(key, "value");
    }
    store_flush(store);
    store_stats(store, &stats);
    ck_assert_uint_eq(stats.keys, 0);
    check("key1", NULL);
    set("key2", "new");
    check("key2", "new");
    for (int i = 0; i < 30000; i++) { // the memory of the old ones is used again
        snprintf(key, sizeof key, "new%d", i % 9000);
        ck_assert_int_eq(set_bytes(key, base, 300, 0), 0);
    }
    ck_assert(store_is_sound(store));
}
END_TEST

START_TEST(takes_large_values_in_pieces)
{
    char key[16], *large = malloc(SIZE);
    struct err err;
    memset(large, 'L', SIZE);
    for (int i = 0; i < 20000; i++) { // a heap in small pieces
        snprintf(key, sizeof key, "key%d", i);
        ck_assert_int_eq(set_bytes(key, large, 100 + random_below(900), 0), 0);
    }
    for (int i = 0; i < 20000; i += 1 + (int)random_below(3)) {
        snprintf(key, sizeof key, "key%d", i);
        store_delete(store, key, strlen(key), now_ms);
    }
    size_t length = store_item_max(store) - 5;
    for (size_t i = 0; i < length; i++)
        large[i] = (char)(i * 7 >> 3);
    ck_assert_int_eq(set_bytes("large", large, length, 0), 0);
    check_value("large", large, length);
    ck_assert(store_is_sound(store));
    struct store_set more = {.key = "large", .key_length = 5, .value = large, .length = length + 1};
    ck_assert_int_eq(store_set(store, &more, now_ms, &err), -1);
    check_value("large", large, length); // the old one is still there
    free(large);
}
END_TEST

START_TEST(keeps_what_is_touched)
{
    char key[16];
    int kept = 0, others = 0;
    struct store_value value;
    for (int i = 0; i < 40000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        ck_assert_int_eq(set_bytes(key, base, 500, 0), 0);
        if (i < 100)
            store_touch(store, segment_hash(key, strlen(key)));
        snprintf(key, sizeof key, "key%d", i % 100);
        store_get(store, key, strlen(key), now_ms, &value);
    }
    for (int i = 0; i < 10100; i++) {
        snprintf(key, sizeof key, "key%d", i);
        bool there = store_peek(store, key, strlen(key), now_ms, &value);
        *(i < 100 ? &kept : &others) += there;
    }
    ck_assert_int_ge(kept, 95);
    ck_assert_int_le(others, 100);
}
END_TEST

static void count_key(void *context, const char *key, size_t length)
{
    (void)key;
    (void)length;
    ++*(size_t *)context;
}

START_TEST(scans_every_key_once)
{
    char key[16];
    uint64_t cursor = 0;
    size_t seen = 0, calls = 0;
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        set(key, "v");
    }
    do {
        store_scan(store, &cursor, 10, now_ms, count_key, &seen);
        calls++;
    } while (cursor != 0);
    ck_assert_uint_eq(seen, 3000);
    ck_assert_uint_ge(calls, 200);
}
END_TEST

START_TEST(refuses_pages_that_are_none)
{
    struct err err;
    struct segment_header *header = base;
    store_close(store);
    header->bucket_mask++;
    ck_assert_ptr_null(store_open(base, SIZE, now_ms, &err));
    header->bucket_mask--;
    header->version++;
    ck_assert_ptr_null(store_open(base, SIZE, now_ms, &err));
    store_wipe(base, SIZE);
    open_store();
    check("a", NULL);
}
END_TEST

// --- a model ------------------------------------------------------------------------------------

static struct entry {
    char *value; // NULL: absent
    size_t length;
    uint64_t expires_ms;
} model[KEYS];

static void model_set(struct entry *entry, const char *value, size_t length, uint64_t expires_ms)
{
    free(entry->value);
    entry->value = value ? memcpy(malloc(length + 1), value, length) : NULL;
    entry->length = length;
    entry->expires_ms = expires_ms;
}

static void random_set(const char *key, struct entry *entry)
{
    static char value[VALUE_MAX];
    size_t length = random_below(20) ? random_below(200) : random_below(VALUE_MAX);
    uint64_t expires_ms = random_below(3) ? 0 : now_ms + 1 + random_below(20000);
    memset(value, 'a' + (int)random_below(26), length);
    ck_assert_int_eq(set_bytes(key, value, length, expires_ms), 0);
    model_set(entry, value, length, expires_ms);
}

static void reopen(bool died)
{
    store_close(store);
    if (died)
        ((struct segment_header *)base)->busy++;
    open_store();
    ck_assert(store_is_sound(store));
}

static void random_step(void)
{
    char key[16];
    unsigned number = random_below(KEYS), what = random_below(1000);
    struct entry *entry = &model[number];
    snprintf(key, sizeof key, "key%u", number);
    if (entry->expires_ms && entry->expires_ms <= now_ms)
        model_set(entry, NULL, 0, 0);
    if (what < 450) {
        check_value(key, entry->value, entry->length);
    } else if (what < 800) {
        random_set(key, entry);
    } else if (what < 950) {
        ck_assert(store_delete(store, key, strlen(key), now_ms) == (entry->value != NULL));
        model_set(entry, NULL, 0, 0);
    } else if (what < 990) {
        now_ms += random_below(3000);
        store_expire_some(store, now_ms, random_below(50));
    } else if (what < 999) {
        reopen(what < 993);
    } else if (random_below(10) == 0) {
        store_flush(store);
        for (size_t i = 0; i < KEYS; i++)
            model_set(&model[i], NULL, 0, 0);
    }
}

START_TEST(agrees_with_a_model)
{
    for (int i = 0; i < 60000; i++) {
        random_step();
        if (i % 500 == 0)
            ck_assert_msg(store_is_sound(store), "after %d steps", i);
    }
    for (size_t i = 0; i < KEYS; i++)
        model_set(&model[i], NULL, 0, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, sets_replaces_deletes);
    tcase_add_test(tests, expires);
    tcase_add_test(tests, gives_memory_of_expired_items_back);
    tcase_add_test(tests, purges_by_tag);
    tcase_add_test(tests, flushes_at_once);
    tcase_add_test(tests, takes_large_values_in_pieces);
    tcase_add_test(tests, keeps_what_is_touched);
    tcase_add_test(tests, scans_every_key_once);
    tcase_add_test(tests, refuses_pages_that_are_none);
    tcase_add_test(tests, agrees_with_a_model);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
