// What the segment's header tells about a Redis: here of one that is not there. How the word
// follows one that comes and goes is tests/integration/test_redis.py's.
#include "mirror.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>

#include "common/breaker.h"
#include "common/redis_config.h"
#include "loop_test.h"

static const uint64_t page_size = SEGMENT_SIZE_MIN;
static void *base;
static struct store *store;

static void on_event(void *context, const char *source, const char *name, const char *text)
{
    (void)source;
    (void)name;
    (void)text;
    ++*(unsigned *)context;
}

static void set_up(void)
{
    struct err err;
    loop_test_open();
    base = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(base, MAP_FAILED);
    store = store_open(base, page_size, 1, &err);
    ck_assert_ptr_nonnull(store);
}

static void tear_down(void)
{
    store_close(store);
    munmap(base, page_size);
    loop_test_close();
}

static unsigned redis_word(void)
{
    return atomic_load(&store_page(store)->redis);
}

static bool has_heard(void *context)
{
    return *(unsigned *)context > 0;
}

START_TEST(a_redis_that_is_not_there)
{
    char host[] = "unix:/nonexistent/redis.sock", prefix[] = "";
    struct redis_config config = {
        .host = host, .prefix = prefix, .deadline_ms = 50, .critical = true, .queue_bytes = 65536};
    unsigned events = 0;
    ck_assert_uint_eq(redis_word(), SEGMENT_NO_REDIS);
    struct mirror *mirror = mirror_open(&test_loop, &config, store, on_event, &events);
    ck_assert_uint_eq(redis_word(), SEGMENT_REDIS + BREAKER_HALF_OPEN);
    ck_assert_uint_eq(store_page(store)->redis_is_critical, 1);
    loop_test_wait(has_heard, &events);
    ck_assert_uint_eq(redis_word(), SEGMENT_REDIS + BREAKER_OPEN);
    mirror_close(mirror);
    ck_assert_uint_eq(redis_word(), SEGMENT_REDIS + BREAKER_OPEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mirror");
    TCase *tests = tcase_create("mirror");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_redis_that_is_not_there);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
