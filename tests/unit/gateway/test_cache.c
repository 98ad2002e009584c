// A worker's share of the cache: when the page is mapped, and which commands go out.

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cache.h"
#include "fake_cachesvc.h"

enum { SIZE = 1 << 20 };

static struct cache cache;
static int fd;

static void lay_out_page(void)
{
    struct err err;
    void *base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(base, MAP_FAILED);
    ck_assert_int_eq(segment_format(base, SIZE, &err), 0);
    segment_publish(base);
    munmap(base, SIZE);
}

static void set_up(void)
{
    loop_test_open();
    fake_prepare();
    fake_listen();
    fake.reply = "+OK\r\n";
    fd = memfd_create("cache", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, SIZE), 0);
    cache_init(&cache, &test_loop);
}

static void tear_down(void)
{
    cache_close(&cache);
    cache_fini(&cache, &test_loop);
    ck_assert_ptr_null(cache.segment.base);
    fake_close();
    close(fd);
    loop_test_close();
}

static bool is_mapped(void *context)
{
    (void)context;
    return cache.segment.base != NULL;
}

static void open_mapped(void)
{
    lay_out_page();
    cache_open(&cache, &test_loop, fd, fake.path);
    ck_assert(!is_mapped(NULL)); // not before cachesvc has answered
    loop_test_wait(is_mapped, NULL);
}

static bool has_been_pinged(void *times)
{
    return fake.pings >= *(unsigned *)times;
}

START_TEST(it_is_mapped_when_cachesvc_has_answered)
{
    open_mapped();
    const void *base = cache.segment.base;
    ck_assert_uint_eq(cache.segment.size, SIZE);
    // A successor serves the same page.
    unsigned times = fake.pings + 1;
    fake_hang_up();
    loop_test_wait(has_been_pinged, &times);
    ck_assert_ptr_eq(cache.segment.base, base);
}
END_TEST

START_TEST(a_page_that_is_none_yet_is_looked_at_again)
{
    unsigned times = 2; // on both links
    cache_open(&cache, &test_loop, fd, fake.path);
    loop_test_wait(has_been_pinged, &times);
    for (int turn = 0; turn < 3; turn++)
        uv_run(&test_loop, UV_RUN_NOWAIT);
    ck_assert(!is_mapped(NULL));
    lay_out_page();
    fake_hang_up();
    loop_test_wait(is_mapped, NULL);
}
END_TEST

static const struct {
    struct span tags[2];
    size_t tag_count;
    uint64_t ttl_ms;
    const char *command;
} stores[] = {
    {{{NULL, 0}}, 0, 1500, "CACHE.SET key value PX 1500"},
    {{SPAN("red")}, 1, 1, "CACHE.SET key value PX 1 TAGS 1 red"},
    {{SPAN("red"), SPAN("green")},
     2,
     UINT64_MAX,
     "CACHE.SET key value PX 18446744073709551615 TAGS 2 red green"},
};

START_TEST(it_stores_with_tags_and_a_time_to_live)
{
    open_mapped();
    cache_store(&cache, SPAN("key"), SPAN("value"), stores[_i].ttl_ms, stores[_i].tags,
                stores[_i].tag_count);
    fake_wait(1);
    ck_assert_str_eq(buf_text(&fake.last), stores[_i].command);
}
END_TEST

START_TEST(without_a_link_nothing_is_stored)
{
    cache_store(&cache, SPAN("key"), SPAN("value"), 1, NULL, 0);
    open_mapped();
    cache_close(&cache);
    cache_store(&cache, SPAN("key"), SPAN("value"), 1, NULL, 0);
    cache_close(&cache); // twice is fine
    ck_assert(is_mapped(NULL));
    for (int turn = 0; turn < 3; turn++)
        uv_run(&test_loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(fake.commands, 0);
}
END_TEST

START_TEST(each_token_is_another)
{
    char first[CACHE_TOKEN_SIZE], second[CACHE_TOKEN_SIZE], prefix[16];
    snprintf(prefix, sizeof prefix, "%d-", (int)getpid());
    cache_make_token(&cache, first);
    cache.tokens = UINT64_MAX - 1; // the longest fits too
    cache_make_token(&cache, second);
    ck_assert_str_ne(first, second);
    ck_assert_int_eq(strncmp(first, prefix, strlen(prefix)), 0);
    ck_assert_int_eq(strncmp(second, prefix, strlen(prefix)), 0);
    ck_assert_str_eq(second + strlen(prefix), "18446744073709551615");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache");
    TCase *tests = tcase_create("cache");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, it_is_mapped_when_cachesvc_has_answered);
    tcase_add_test(tests, a_page_that_is_none_yet_is_looked_at_again);
    tcase_add_loop_test(tests, it_stores_with_tags_and_a_time_to_live, 0,
                        sizeof stores / sizeof stores[0]);
    tcase_add_test(tests, without_a_link_nothing_is_stored);
    tcase_add_test(tests, each_token_is_another);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
