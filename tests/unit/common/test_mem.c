// Allocation: never NULL, not for nothing either; no memory ends the process.
#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

START_TEST(nothing_is_something)
{
    void *a = mem_alloc(0), *b = mem_zalloc(0, 8), *c = mem_realloc(NULL, 0);
    ck_assert(a && b && c);
    free(a);
    free(b);
    free(c);
}
END_TEST

START_TEST(zeroed)
{
    unsigned char *bytes = mem_zalloc(7, 9);
    for (size_t i = 0; i < 63; i++)
        ck_assert_uint_eq(bytes[i], 0);
    free(bytes);
}
END_TEST

START_TEST(texts)
{
    char *whole = mem_strdup("text"), *part = mem_strndup("text", 2);
    char *printed = mem_printf("%s#%d", whole, 3);
    ck_assert_str_eq(whole, "text");
    ck_assert_str_eq(part, "te");
    ck_assert_str_eq(printed, "text#3");
    whole = mem_realloc(whole, 100);
    ck_assert_str_eq(whole, "text");
    free(whole);
    free(part);
    free(printed);
}
END_TEST

START_TEST(no_memory_ends_the_process)
{
    volatile size_t most = SIZE_MAX / 2; // the product fits no allocator
    free(mem_zalloc(most, 4));
}
END_TEST

// The sanitizers' allocators end the process themselves unless told otherwise, which they read when
// it starts: so it starts once more.
static void tell_sanitizers(char **argv)
{
    static const char options[] = "allocator_may_return_null=1";
    if (getenv("TEST_MEM_TOLD"))
        return;
    setenv("TEST_MEM_TOLD", "1", 1);
    setenv("ASAN_OPTIONS", options, 1);
    setenv("TSAN_OPTIONS", options, 1);
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    (void)argc;
    tell_sanitizers(argv);
    Suite *suite = suite_create("mem");
    TCase *tests = tcase_create("mem");
    tcase_add_test(tests, nothing_is_something);
    tcase_add_test(tests, zeroed);
    tcase_add_test(tests, texts);
    tcase_add_test_raise_signal(tests, no_memory_ends_the_process, SIGABRT);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
