// The page: seals, header checks, columns.
#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/state_page.h"

static int fd;
static struct state_page *page;

static void set_up(void)
{
    struct err err;
    fd = state_page_create(&err);
    ck_assert_msg(fd >= 0, "%s", err.text);
    page = state_page_map(fd, &err);
    ck_assert_msg(page != NULL, "%s", err.text);
}

static void tear_down(void)
{
    state_page_unmap(page);
    close(fd);
}

START_TEST(sealed_and_private)
{
    ck_assert_int_eq(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    ck_assert_int_eq(ftruncate(fd, 0), -1);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    state_page_unmap(NULL);
}
END_TEST

START_TEST(two_mappings_share)
{
    struct state_page *other = state_page_map(fd, NULL);
    ck_assert_ptr_nonnull(other);
    atomic_store(&page->column[1].endpoint_in_flight[7], 3);
    atomic_store(&page->column[STATE_COLUMNS - 1].endpoint_in_flight[7], 4);
    atomic_store(&page->column[0].endpoint_in_flight[8], 5);
    ck_assert_uint_eq(state_endpoint_in_flight(other, 7), 7);
    ck_assert_uint_eq(state_endpoint_in_flight(other, 6), 0);
    state_column_clear(other, 1);
    ck_assert_uint_eq(state_endpoint_in_flight(page, 7), 4);
    ck_assert_uint_eq(state_endpoint_in_flight(page, 8), 5);
    state_page_unmap(other);
}
END_TEST

static void expect_refused(const char *reason)
{
    struct err err;
    ck_assert_ptr_null(state_page_map(fd, &err));
    ck_assert_str_eq(err.text, reason);
}

START_TEST(damage_is_noticed)
{
    uint64_t magic = page->magic;
    page->magic ^= 1;
    expect_refused("state page: another version or damaged");
    page->magic = magic;
    page->version++;
    expect_refused("state page: another version or damaged");
    page->version--;
    page->checksum ^= 1;
    expect_refused("state page: another version or damaged");
    page->checksum ^= 1;
    struct state_page *again = state_page_map(fd, NULL);
    ck_assert_ptr_nonnull(again);
    state_page_unmap(again);
}
END_TEST

START_TEST(other_sizes_are_refused)
{
    struct err err;
    int small = memfd_create("test", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(small, 4096), 0);
    ck_assert_ptr_null(state_page_map(small, &err));
    ck_assert_str_eq(err.text, "state page: not of the size that this version uses");
    close(small);
    ck_assert_ptr_null(state_page_map(-1, &err));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state_page");
    TCase *tests = tcase_create("state_page");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, sealed_and_private);
    tcase_add_test(tests, two_mappings_share);
    tcase_add_test(tests, damage_is_noticed);
    tcase_add_test(tests, other_sizes_are_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
