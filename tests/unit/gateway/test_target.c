// The normal form of paths.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

struct row {
    const char *path, *normal; // NULL: as it is, not copied
};

static const struct row rows[] = {
    // normal already
    {"/", NULL},
    {"/a", NULL},
    {"/a/", NULL},
    {"/a/b.c/.well-known/..a/...", NULL},
    {"/a%2Fb%20c%C3%A4", NULL},
    {"/a;b=c,d:@!$&'()*+~_-", NULL},
    {"/%252e%252E", NULL},
    {"/%0D%0A", NULL},
    {"/{a}|^`\"<>[]", NULL},
    {"*", NULL},
    // slashes
    {"//", "/"},
    {"//a", "/a"},
    {"/a//b///c", "/a/b/c"},
    {"/a//", "/a/"},
    // dots
    {"/.", "/"},
    {"/./", "/"},
    {"/a/.", "/a/"},
    {"/a/./b", "/a/b"},
    {"/a/..", "/"},
    {"/a/../", "/"},
    {"/a/b/..", "/a/"},
    {"/a/b/../", "/a/"},
    {"/a/b/../c", "/a/c"},
    {"/a/b/../../c", "/c"},
    {"/a//../b", "/b"},
    {"/a/.//../b", "/b"},
    {"/aaaa/bbbb/../../c/./d/../e", "/c/e"},
    // escapes
    {"/%61%7E%2d%5F%2E", "/a~-_."},
    {"/%2f%3a%c3", "/%2F%3A%C3"},
    {"/a/%2e%2E/b", "/b"},
    {"/a/%2e", "/a/"},
    {"/a/.%2e/b", "/b"},
    {"/a/%2e%2e%2fb", "/a/..%2Fb"},
    {"/a%2f../b", "/a%2F../b"},
    {"/%41%2f//b/../c", "/A%2F/c"},
    {"/%5c", "/%5C"},
    {"/%c3", "/%C3"},
    {"/%Cf", "/%CF"},
};

static const char *const refused[] = {"",
                                      "a",
                                      "**",
                                      "?",
                                      "/..",
                                      "/../a",
                                      "/a/../..",
                                      "/a/../../b",
                                      "//..",
                                      "/./..",
                                      "/%2e%2e",
                                      "/%2E./",
                                      "/%",
                                      "/%4",
                                      "/%4g",
                                      "/%g4",
                                      "/%00",
                                      "/a%00b",
                                      "/a\\b",
                                      "/a?b",
                                      "/a#b",
                                      "/a b",
                                      "/\xc3\xa4",
                                      "/\x01",
                                      "/a//b%zz",
                                      "/%61/%00",
                                      "/%61/\\",
                                      "/a/./../..",
                                      "/a/b/../%2e%2e/.."};

static int normalise(const char *path, struct span *normal, char *out)
{
    size_t length = strlen(path);
    char *exact = malloc(length + 1);
    ck_assert_ptr_nonnull(exact);
    int result = target_normalise((struct span){path, length}, exact, normal);
    if (result == 0 && normal->bytes == exact) {
        memcpy(out, exact, normal->length);
        normal->bytes = out;
    }
    free(exact);
    return result;
}

START_TEST(normal_forms)
{
    const struct row *row = &rows[_i];
    struct span normal;
    char out[128];
    ck_assert_msg(normalise(row->path, &normal, out) == 0, "%s", row->path);
    if (row->normal == NULL)
        ck_assert_msg(normal.bytes == row->path, "%s was copied", row->path);
    const char *expected = row->normal != NULL ? row->normal : row->path;
    ck_assert_msg(normal.length == strlen(expected) &&
                      memcmp(normal.bytes, expected, normal.length) == 0,
                  "%s: %.*s", row->path, (int)normal.length, normal.bytes);
}
END_TEST

START_TEST(refused_paths)
{
    struct span normal;
    char out[128];
    ck_assert_msg(normalise(refused[_i], &normal, out) == -1, "%s", refused[_i]);
}
END_TEST

START_TEST(nul_is_refused)
{
    struct span normal;
    char out[8];
    ck_assert_int_eq(target_normalise((struct span){"/a\0b", 4}, out, &normal), -1);
    ck_assert_int_eq(target_normalise((struct span){"//a\0b", 5}, out, &normal), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target");
    TCase *tests = tcase_create("target");
    tcase_add_loop_test(tests, normal_forms, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_loop_test(tests, refused_paths, 0, (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(tests, nul_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
