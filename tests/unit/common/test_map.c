// Put, get, remove, order; many keys; as many going as coming; keys of any bytes.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/map.h"
#include "common/mem.h"

static int values[4096];

static const char *name_of(int i)
{
    static char name[32];
    snprintf(name, sizeof name, "key-%d", i);
    return name;
}

START_TEST(replaces_and_removes)
{
    struct map *map = map_new();
    ck_assert_ptr_null(map_get(map, "a"));
    ck_assert_ptr_null(map_put(map, "a", &values[1]));
    ck_assert_ptr_eq(map_put(map, "a", &values[2]), &values[1]);
    ck_assert_uint_eq(map_count(map), 1);
    ck_assert_ptr_null(map_put(map, "", &values[3]));
    ck_assert_ptr_eq(map_get(map, ""), &values[3]);
    ck_assert_ptr_eq(map_get_n(map, "abc", 1), &values[2]);
    ck_assert_ptr_null(map_get_n(map, "abc", 2));
    ck_assert_ptr_eq(map_remove(map, "a"), &values[2]);
    ck_assert_ptr_null(map_remove(map, "a"));
    ck_assert_ptr_null(map_get(map, "a"));
    ck_assert_uint_eq(map_count(map), 1);
    map_free(map, NULL);
}
END_TEST

START_TEST(keeps_the_order)
{
    struct map *map = map_new();
    size_t cursor = 0;
    void *value;
    for (int i = 0; i < 1000; i++)
        map_put(map, name_of(i), &values[i]);
    for (int i = 0; i < 1000; i += 2)
        map_remove(map, name_of(i));
    map_put(map, name_of(0), &values[0]); // behind all others now
    for (int i = 1; i < 1000; i += 2) {
        const char *key = map_next(map, &cursor, &value);
        ck_assert_str_eq(key, name_of(i));
        ck_assert_ptr_eq(value, &values[i]);
    }
    ck_assert_str_eq(map_next(map, &cursor, NULL), name_of(0));
    ck_assert_ptr_null(map_next(map, &cursor, &value));
    map_free(map, NULL);
}
END_TEST

START_TEST(many_come_and_go)
{
    struct map *map = map_new();
    for (int i = 0; i < 100000; i++) {
        map_put(map, name_of(i), &values[i % 4096]);
        if (i >= 21)
            ck_assert_ptr_eq(map_remove(map, name_of(i - 21)), &values[(i - 21) % 4096]);
    }
    ck_assert_uint_eq(map_count(map), 21);
    for (int i = 100000 - 21; i < 100000; i++)
        ck_assert_ptr_eq(map_get(map, name_of(i)), &values[i % 4096]);
    ck_assert_ptr_null(map_get(map, name_of(5)));
    map_free(map, NULL);
}
END_TEST

START_TEST(keys_are_any_bytes)
{
    static const struct {
        const char *bytes;
        size_t length;
    } keys[] = {{"", 0},     {"\0", 1},  {"\0\0", 2},   {"a", 1},    {"a\0", 2},     {"a\0b", 3},
                {"a\0c", 3}, {"\0a", 2}, {"\xff\n", 2}, {"\xff", 1}, {"a\0b\0\0", 5}};
    enum { KEYS = sizeof keys / sizeof *keys };
    struct map *map = map_new();
    for (int i = 0; i < KEYS; i++)
        ck_assert_ptr_null(map_put_n(map, keys[i].bytes, keys[i].length, &values[i]));
    ck_assert_uint_eq(map_count(map), KEYS);
    for (int i = 0; i < KEYS; i++)
        ck_assert_ptr_eq(map_get_n(map, keys[i].bytes, keys[i].length), &values[i]);

    ck_assert_ptr_eq(map_put_n(map, "a\0b", 3, &values[99]), &values[5]);
    ck_assert_ptr_eq(map_remove_n(map, "a\0b", 3), &values[99]);
    ck_assert_ptr_null(map_remove_n(map, "a\0b", 3));
    ck_assert_ptr_eq(map_get_n(map, "a\0c", 3), &values[6]);
    for (int i = 0; i < KEYS; i++)
        ck_assert_ptr_eq(map_remove_n(map, keys[i].bytes, keys[i].length),
                         i == 5 ? NULL : &values[i]);
    ck_assert_uint_eq(map_count(map), 0);
    map_free(map, NULL);
}
END_TEST

START_TEST(text_and_bytes_are_one_key)
{
    static const char text[] = {'a', 'b', 'c'}; // no NUL: nothing is read behind the length
    struct map *map = map_new();
    size_t cursor = 0;
    ck_assert_ptr_null(map_put_n(map, text, sizeof text, &values[1]));
    ck_assert_ptr_eq(map_get(map, "abc"), &values[1]);
    ck_assert_ptr_eq(map_put(map, "abc", &values[2]), &values[1]);
    ck_assert_str_eq(map_next(map, &cursor, NULL), "abc");
    ck_assert_ptr_eq(map_remove_n(map, "abcd", 3), &values[2]);
    ck_assert_ptr_null(map_get(map, "abc"));
    map_free(map, NULL);
}
END_TEST

static int freed;

static void count_free(void *value)
{
    freed++;
    free(value);
}

START_TEST(frees_what_is_left)
{
    struct map *map = map_new();
    for (int i = 0; i < 10; i++)
        map_put(map, name_of(i), mem_strdup("x"));
    free(map_remove(map, name_of(3)));
    free(map_put(map, name_of(4), mem_strdup("y")));
    map_free(map, count_free);
    ck_assert_int_eq(freed, 9);
    map_free(NULL, count_free);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("map");
    TCase *tests = tcase_create("map");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, replaces_and_removes);
    tcase_add_test(tests, keeps_the_order);
    tcase_add_test(tests, many_come_and_go);
    tcase_add_test(tests, keys_are_any_bytes);
    tcase_add_test(tests, text_and_bytes_are_one_key);
    tcase_add_test(tests, frees_what_is_left);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
