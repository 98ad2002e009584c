// Memory of a fixed size, and descriptors that only read it.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/sealed_memory.h"

enum { SIZE = 8192 };

static int fd;

static void set_up(void)
{
    struct err err;
    fd = sealed_memory_create("test", SIZE, &err);
    ck_assert_int_ge(fd, 0);
}

static void tear_down(void)
{
    close(fd);
}

START_TEST(has_its_size_and_keeps_it)
{
    ck_assert(sealed_memory_has_size(fd, SIZE));
    ck_assert(!sealed_memory_has_size(fd, SIZE + 1));
    ck_assert(!sealed_memory_has_size(-1, SIZE));
    ck_assert_int_eq(ftruncate(fd, 2 * SIZE), -1);
    ck_assert_int_eq(ftruncate(fd, 1), -1);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1); // nobody takes it from the others
    ck_assert(sealed_memory_has_size(fd, SIZE));
}
END_TEST

START_TEST(nobody_inherits_it_by_accident)
{
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(a_reader_sees_it_and_does_not_write)
{
    struct err err;
    int reader = sealed_memory_open_reader(fd, "test", &err);
    ck_assert_int_ge(reader, 0);
    ck_assert_int_eq(pwrite(fd, "x", 1, 7), 1);
    char byte = 0;
    ck_assert_int_eq(pread(reader, &byte, 1, 7), 1);
    ck_assert_int_eq(byte, 'x');
    ck_assert_int_eq(pwrite(reader, "y", 1, 7), -1);
    ck_assert_ptr_eq(mmap(NULL, SIZE, PROT_WRITE, MAP_SHARED, reader, 0), MAP_FAILED);
    ck_assert_int_eq(errno, EACCES);
    close(reader);
}
END_TEST

START_TEST(what_cannot_be_had_is_told)
{
    struct err err;
    ck_assert_int_eq(sealed_memory_create("test", UINT64_MAX, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "test page of 18446744073709551615 bytes: "));
    ck_assert_int_eq(sealed_memory_open_reader(-1, "test", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "test page: "));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sealed_memory");
    TCase *tests = tcase_create("sealed_memory");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, has_its_size_and_keeps_it);
    tcase_add_test(tests, nobody_inherits_it_by_accident);
    tcase_add_test(tests, a_reader_sees_it_and_does_not_write);
    tcase_add_test(tests, what_cannot_be_had_is_told);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
