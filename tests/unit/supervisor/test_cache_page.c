// The cache's page and socket: made once, sealed, read-only for readers, emptied when replaced.

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache_page.h"
#include "common/home.h"
#include "common/segment.h"
#include "keeper_link.h"
#include "loop_test.h"

enum { SIZE = 1 << 20 };

static char root[] = "/tmp/gwctl-test-XXXXXX";
static struct keeper_link *keeper;
static struct cache_page page;

static void on_exit_reported(void *context, pid_t pid, int status)
{
    (void)context;
    (void)pid;
    (void)status;
}

static void on_lost(void *context)
{
    (void)context;
}

static void set_up(void)
{
    static const struct keeper_link_events events = {on_exit_reported, on_lost};
    struct err err = {{0}};
    ck_assert_ptr_nonnull(mkdtemp(root));
    setenv("GWCTL_HOME", root, 1);
    ck_assert_msg(home_open(&err) == 0, "%s", err.text);
    loop_test_open();
    keeper = keeper_link_open(&test_loop, &events, NULL, &err);
    ck_assert_ptr_nonnull(keeper);
    cache_page_init(&page);
}

static void tear_down(void)
{
    cache_page_close(&page, keeper);
    keeper_link_close(keeper);
    loop_test_close();
    ck_assert_int_eq(access(home_path(HOME_CACHE), F_OK), -1);
    rmdir(home_path(HOME_RUN));
    rmdir(home_path(HOME_LOGS));
    ck_assert_int_eq(rmdir(root), 0);
}

static void open_page(uint64_t size)
{
    struct err err = {{0}};
    ck_assert_msg(cache_page_open(&page, size, keeper, &err) == 0, "%s", err.text);
}

START_TEST(is_made_once)
{
    open_page(SIZE);
    int fds[] = {page.write_fd, page.read_fd, page.socket_fd};
    open_page(SIZE);
    ck_assert_int_eq(page.write_fd, fds[0]);
    ck_assert_int_eq(page.read_fd, fds[1]);
    ck_assert_int_eq(page.socket_fd, fds[2]);
    struct stat stat;
    ck_assert_int_eq(fstat(page.write_fd, &stat), 0);
    ck_assert_int_eq(stat.st_size, SIZE);
}
END_TEST

START_TEST(keeps_its_size_and_its_readers_from_writing)
{
    open_page(SIZE);
    ck_assert_int_eq(ftruncate(page.write_fd, 2 * SIZE), -1);
    ck_assert_int_eq(ftruncate(page.write_fd, 4096), -1);
    ck_assert_ptr_eq(mmap(NULL, SIZE, PROT_WRITE, MAP_SHARED, page.read_fd, 0), MAP_FAILED);
    ck_assert_int_eq(errno, EACCES);
    void *base = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, page.read_fd, 0);
    ck_assert_ptr_ne(base, MAP_FAILED);
    munmap(base, SIZE);
}
END_TEST

START_TEST(another_size_begins_empty_for_all)
{
    open_page(SIZE);
    const struct segment_header *old = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, page.read_fd, 0);
    ck_assert_ptr_ne(old, MAP_FAILED);
    uint32_t generation = atomic_load(&old->generation);
    int socket_fd = page.socket_fd;
    open_page(2 * SIZE);
    ck_assert_uint_ne(atomic_load(&old->generation), generation);
    ck_assert_int_eq(page.socket_fd, socket_fd); // clients wait there
    struct stat stat;
    ck_assert_int_eq(fstat(page.read_fd, &stat), 0);
    ck_assert_int_eq(stat.st_size, 2 * SIZE);
    munmap((void *)old, SIZE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache_page");
    TCase *tests = tcase_create("cache_page");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, is_made_once);
    tcase_add_test(tests, keeps_its_size_and_its_readers_from_writing);
    tcase_add_test(tests, another_size_begins_empty_for_all);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
