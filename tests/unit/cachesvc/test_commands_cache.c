// The cache's own commands.
#include <stdio.h>

#include "command_test.h"

START_TEST(tags)
{
    static const struct command_case cases[] = {
        {"CACHE.SET a 1 TAGS 2 red blue", "+OK", 0},
        {"CACHE.SET b 2 PX 1000 TAGS 1 blue", "+OK", 0},
        {"CACHE.SET c 3", "+OK", 0},
        {"CACHE.SET d 4 TAGS 0 PX 500", "+OK", 0},
        {"PTTL b", ":1000", 0},
        {"PTTL d", ":500", 0},
        {"CACHE.PURGETAG green", "+OK", 0},
        {"EXISTS a b c", ":3", 0},
        {"CACHE.TAG c green", ":1", 0},
        {"CACHE.TAG x green", ":0", 0},
        {"CACHE.TAG b green", ":1", 0},
        {"PTTL b", ":1000", 0},
        {"CACHE.PURGETAG red green", "+OK", 0},
        {"MGET a b c d", "*4\r\n$-1\r\n$-1\r\n$-1\r\n$1\r\n4", 0},
        // What is changed keeps its tags, what is set anew has none.
        {"CACHE.SET n 1 TAGS 1 t", "+OK", 0},
        {"CACHE.SET m 1 TAGS 1 t", "+OK", 0},
        {"CACHE.SET o 1 TAGS 1 t", "+OK", 0},
        {"INCR n", ":2", 0},
        {"APPEND n 0", ":2", 0},
        {"RENAME o p", "+OK", 0},
        {"SET m 2", "+OK", 0},
        {"CACHE.PURGETAG t", "+OK", 0},
        {"MGET n m p", "*3\r\n$-1\r\n$1\r\n2\r\n$-1", 0},
        {"CACHE.SET a 1 TAGS", "-ERR syntax error", 0},
        {"CACHE.SET a 1 TAGS x", "-ERR value is not an integer or out of range", 0},
        {"CACHE.SET a 1 TAGS 2 b", "-ERR Number of tags can't be greater than number of args", 0},
        {"CACHE.SET a 1 TAGS 1 b c", "-ERR syntax error", 0},
        {"CACHE.SET a 1 PX 0", "-ERR invalid expire time in 'cache.set' command", 0},
        {"CACHE.SET a 1 PX", "-ERR syntax error", 0},
        {"EXISTS a", ":0", 0},
        {NULL, NULL, 0},
    };
    check_commands(cases);
}
END_TEST

START_TEST(too_many_tags)
{
    char line[1024] = "CACHE.TAG a";
    for (size_t i = 0, at = strlen(line); i < 2 * SEGMENT_TAGS_MAX; ++i) // some share a slot
        at += (size_t)snprintf(line + at, sizeof line - at, " t%zu", i);
    reply_to("SET a 1");
    ck_assert_str_eq(reply_to(line), "-ERR a key can have 64 tags at most\r\n");
    ck_assert_str_eq(reply_to("CACHE.TAG a t t t"), ":1\r\n");
}
END_TEST

START_TEST(invalidation)
{
    static const struct command_case cases[] = {
        {"MSET service:1 x service:1: x service:1:a x service:12 x", "+OK", 0},
        {"MSET list:service x list:services:2 x list:vendor x", "+OK", 0},
        {"MSET query:service?a x query:vendor x my:service:1 x", "+OK", 0},
        {"CACHE.INVALIDATE service 1", ":6", 0},
        {"EXISTS service:12 list:vendor query:vendor my:service:1", ":4", 0},
        {"DBSIZE", ":4", 0},
        {"CACHE.INVALIDATE * *", ":0", 0},
        {"DBSIZE", ":4", 0},
        {"CACHE.INVALIDATE service",
         "-ERR wrong number of arguments for 'cache.invalidate' command", 0},
        {"CACHE.DELPATTERN *:vendor", ":2", 0},
        {"CACHE.DELPATTERN service:*", ":1", 0},
        {"CACHE.DELPATTERN service:*", ":0", 0},
        {"CACHE.DELPATTERN *", ":1", 0},
        {NULL, NULL, 0},
    };
    check_commands(cases);
}
END_TEST

START_TEST(patterns_among_many_keys)
{
    for (int i = 0; i < 3000; ++i) {
        char line[32];
        snprintf(line, sizeof line, "SET %s:%d x", i % 3 == 0 ? "a" : "b", i);
        reply_to(line);
    }
    ck_assert_str_eq(reply_to("CACHE.DELPATTERN a:*"), ":1000\r\n");
    ck_assert_str_eq(reply_to("CACHE.DELPATTERN b:?"), ":6\r\n");
    ck_assert_str_eq(reply_to("DBSIZE"), ":1994\r\n");
}
END_TEST

START_TEST(locks)
{
    static const struct command_case cases[] = {
        {"CACHE.LOCK k me 1000", ":1", 0},
        {"CACHE.LOCK k you 1000", ":0", 0},
        {"CACHE.LOCK other you 1000", ":1", 0},
        {"CACHE.LOCK k me 2000", ":1", 500}, // prolonged
        {"CACHE.LOCK k you 1000", ":0", 1999},
        {"CACHE.LOCK k you 1000", ":1", 1},
        {"CACHE.UNLOCK k me", ":0", 0},
        {"GET lock:k", "$3\r\nyou", 0},
        {"CACHE.UNLOCK k yo", ":0", 0},
        {"CACHE.UNLOCK k you", ":1", 0},
        {"CACHE.UNLOCK k you", ":0", 0},
        {"CACHE.LOCK k me 0", "-ERR invalid expire time in 'cache.lock' command", 0},
        {"CACHE.WAIT k 1000", ":1", 0},
        {"CACHE.WAIT k x", "-ERR value is not an integer or out of range", 0},
        {"CACHE.WAIT k -1", "-ERR timeout is out of range", 0},
        {NULL, NULL, 0},
    };
    check_commands(cases);
}
END_TEST

START_TEST(waiting)
{
    struct waiters *waiters = &test_service.waiters;
    struct waiter first, second, third;
    reply_to("CACHE.LOCK k me 1000");
    ck_assert_str_eq(reply_to("CACHE.WAIT k 300"), "");
    ck_assert_int_eq(test_request.after, AFTER_WAIT);
    ck_assert_uint_eq(test_request.wait_ms, 300);
    waiters_add(waiters, &first, "lock:k", 6, 100);
    waiters_add(waiters, &second, "lock:k", 6, 5000);
    waiters_add(waiters, &third, "lock:other", 10, 5000);
    reply_to("CACHE.LOCK other me 60000");

    waiters_check(waiters, test_service.store, test_now_ms, 99);
    ck_assert_ptr_null(waiters_due(waiters));
    waiters_check(waiters, test_service.store, test_now_ms, 100); // patience
    ck_assert_ptr_eq(waiters_due(waiters), &first);
    ck_assert(!first.answer);
    waiters_remove(waiters, &first);

    waiters_check(waiters, test_service.store, test_now_ms + 1000, 100); // expiry
    ck_assert_ptr_eq(waiters_due(waiters), &second);
    ck_assert(second.answer);
    waiters_remove(waiters, &second);

    reply_to("CACHE.UNLOCK other you");
    ck_assert_ptr_null(waiters_due(waiters));
    reply_to("CACHE.UNLOCK other me");
    ck_assert_ptr_eq(waiters_due(waiters), &third);
    ck_assert(third.answer);
    waiters_remove(waiters, &third);
    waiters_remove(waiters, &third);
    ck_assert_uint_eq(waiters->count, 0);
    ck_assert_ptr_null(waiters->first);
}
END_TEST

START_TEST(stats)
{
    static const struct command_case cases[] = {
        {"SET a 1", "+OK", 0}, {"GET a", "$1\r\n1", 0},
        {"GET b", "$-1", 0},   {"MGET a a", "*2\r\n$1\r\n1\r\n$1\r\n1", 0},
        {NULL, NULL, 0},
    };
    ck_assert_ptr_nonnull(strstr(reply_to("CACHE.STATS"), "hitRate\r\n$5\r\n0.00%\r\n"));
    check_commands(cases);
    test_now_ms += 90000;
    const char *reply = reply_to("CACHE.STATS");
    static const char start[] = "*16\r\n$7\r\nhealthy\r\n:1\r\n$4\r\nkeys\r\n:1\r\n";
    ck_assert_int_eq(strncmp(reply, start, strlen(start)), 0);
    ck_assert_ptr_nonnull(strstr(reply,
                                 "$4\r\nhits\r\n:3\r\n$6\r\nmisses\r\n:1\r\n$7\r\nhitRate\r\n"
                                 "$6\r\n75.00%\r\n$11\r\nconnections\r\n:1\r\n"
                                 "$6\r\nuptime\r\n:90\r\n"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("commands_cache");
    TCase *tests = tcase_create("commands_cache");
    tcase_add_checked_fixture(tests, command_test_set_up, command_test_tear_down);
    tcase_add_test(tests, tags);
    tcase_add_test(tests, too_many_tags);
    tcase_add_test(tests, invalidation);
    tcase_add_test(tests, patterns_among_many_keys);
    tcase_add_test(tests, locks);
    tcase_add_test(tests, waiting);
    tcase_add_test(tests, stats);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
