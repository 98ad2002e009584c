// Whose turn it is: what a request hears when cachesvc, which the test plays, gives it the lock,
// gives it to somebody else, or does not reply; and what it asks of a Redis behind cachesvc.

#include <stdlib.h>

#include "common/gateway_config.h"
#include "fake_cachesvc.h"
#include "page_test.h"
#include "server.h"
#include "turn.h"

enum { LOCK_MS = 60000, POLLS_A_LOCK = 10, UNANSWERED_MAX = 4 };

static struct server server;
static struct cache *const cache = &server.cache;
static const struct gateway_config no_routes;
static struct turn turn;
static enum turn_news heard;
static unsigned looks, ends; // news of the one kind, and of the others

static void on_news(struct turn *about, enum turn_news news)
{
    ck_assert_ptr_eq(about, &turn);
    heard = news;
    if (news == TURN_LOOK)
        looks++;
    else
        ends++;
}

static bool is_ready(void *context)
{
    static const struct span words[] = {SPAN("ECHO")};
    (void)context;
    return cache->segment.base != NULL && cache_link_tell(cache->slow_link, words, 1);
}

static uint64_t count_waits(void)
{
    return metrics_column_sum(server.metrics.own, METRIC_CACHE_WAITS);
}

static void set_up(void)
{
    loop_test_open();
    fake_prepare();
    fake_listen();
    page_test_open();
    server.loop = &test_loop;
    metrics_init(&server.metrics, &no_routes, NULL, 0);
    cache_init(cache, &test_loop);
    cache->reply_ms = LOCK_MS; // whatever else the machine does
    cache_open(cache, &test_loop, test_page.fd, fake.path);
    fake.reply = ":0\r\n";
    loop_test_wait(is_ready, NULL);
    fake_wait(1);
    fake.commands = 0;
    fake.reply = NULL;
    turn = (struct turn){.server = &server,
                         .key = SPAN("key"),
                         .lock_ms = LOCK_MS,
                         .until_ms = uv_now(&test_loop) + LOCK_MS,
                         .on_news = on_news};
    looks = ends = 0;
}

static void tear_down(void)
{
    turn_end(&turn);
    cache_close(cache);
    cache_fini(cache, &test_loop);
    metrics_fini(&server.metrics);
    page_test_close();
    fake_close();
    loop_test_close();
}

static bool has_looked(void *times)
{
    return looks >= *(unsigned *)times;
}

// Runs until it was told to look once more.
static void wait_look(void)
{
    unsigned times = looks + 1;
    loop_test_wait(has_looked, &times);
    ck_assert_uint_eq(looks, times);
    ck_assert_uint_eq(ends, 0);
}

static bool has_ended(void *context)
{
    (void)context;
    return ends > 0;
}

static void wait_end(enum turn_news news)
{
    loop_test_wait(has_ended, NULL);
    ck_assert_uint_eq(ends, 1);
    ck_assert_int_eq(heard, news);
}

static bool is_time(void *at_ms)
{
    return uv_now(&test_loop) >= *(uint64_t *)at_ms;
}

static void wait_until(uint64_t at_ms)
{
    loop_test_wait(is_time, &at_ms);
}

// Nothing is heard any more, however long it takes cachesvc to answer.
static void check_silence(void)
{
    unsigned before = looks + ends;
    struct span words[] = {SPAN("ECHO")};
    unsigned heard_by_fake = fake.commands + 1;
    fake.reply = ":0\r\n";
    ck_assert(cache_link_tell(cache->link, words, 1));
    loop_test_wait(fake_has_heard, &heard_by_fake);
    wait_until(uv_now(&test_loop) + 3 * CACHE_POLL_MS);
    ck_assert_uint_eq(looks + ends, before);
}

static void check_last(const char *command, const char *token, const char *rest)
{
    char text[128];
    snprintf(text, sizeof text, "%s %s%s", command, token, rest);
    ck_assert_str_eq(buf_text(&fake.last), text);
}

// It looks, and finds nothing.
static void look_in_vain(void)
{
    wait_look();
    turn_go_on(&turn, turn.key);
}

START_TEST(who_gets_the_lock_looks_and_fetches)
{
    char token[CACHE_TOKEN_SIZE];
    fake.reply = ":1\r\n";
    ck_assert(turn_begin(&turn));
    look_in_vain();
    wait_end(TURN_FETCH);
    memcpy(token, turn.token, sizeof token);
    check_last("CACHE.LOCK key", token, " 60000 SESSION");
    turn_end(&turn);
    fake_wait(2);
    check_last("CACHE.UNLOCK key", token, "");
    turn_end(&turn); // twice is fine
    check_silence();
}
END_TEST

START_TEST(while_another_has_it_one_looks_and_asks_now_and_then)
{
    fake.reply = ":0\r\n";
    ck_assert(turn_begin(&turn));
    for (int i = 1; i < POLLS_A_LOCK; i++)
        look_in_vain();
    ck_assert_uint_eq(fake.commands, 1);
    ck_assert_str_eq(turn.token, ""); // there is nothing to give back
    fake.reply = NULL;
    look_in_vain();
    fake_wait(2);
    check_last("CACHE.LOCK key", turn.token, " 60000 SESSION");
    fake_say(":0\r\n");
    fake.reply = ":1\r\n";
    for (int i = 0; i < POLLS_A_LOCK; i++)
        look_in_vain();
    look_in_vain(); // with the lock
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(fake.commands, 3);
}
END_TEST

START_TEST(when_another_takes_too_long_it_goes_alone)
{
    fake.reply = ":0\r\n";
    turn.until_ms = uv_now(&test_loop);
    ck_assert(turn_begin(&turn));
    look_in_vain();
    wait_end(TURN_ALONE);
}
END_TEST

START_TEST(the_first_time_no_reply_is_as_good_as_the_lock)
{
    cache->reply_ms = 1;
    ck_assert(turn_begin(&turn));
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(looks, 0);
    ck_assert_str_ne(turn.token, ""); // it may be ours later
    ck_assert(!turn_begin(&turn));    // cachesvc is stopped
}
END_TEST

START_TEST(who_waits_for_another_goes_on_a_while_without_replies)
{
    fake.reply = ":0\r\n";
    ck_assert(turn_begin(&turn));
    wait_look();
    cache->reply_ms = 1;
    fake.reply = NULL;
    turn_go_on(&turn, turn.key);
    for (int i = 1; i < UNANSWERED_MAX * POLLS_A_LOCK; i++)
        look_in_vain();
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(fake.commands, 2); // while it owed a reply it was not asked again
}
END_TEST

START_TEST(a_reply_makes_up_for_those_that_did_not_come)
{
    fake.reply = ":0\r\n";
    ck_assert(turn_begin(&turn));
    wait_look();
    cache->reply_ms = 1;
    fake.reply = NULL;
    turn_go_on(&turn, turn.key);
    for (int i = 1; i < (UNANSWERED_MAX - 1) * POLLS_A_LOCK; i++)
        look_in_vain();
    cache->reply_ms = LOCK_MS;
    fake_say(fake.reply = ":0\r\n"); // at last; and to the next one too
    for (int i = 0; i < POLLS_A_LOCK; i++)
        look_in_vain();
    fake_wait(3);
    cache->reply_ms = 1;
    fake.reply = NULL;
    for (int i = 0; i < UNANSWERED_MAX * POLLS_A_LOCK; i++)
        look_in_vain();
    wait_end(TURN_FETCH);
}
END_TEST

START_TEST(without_a_link_nobody_is_asked)
{
    cache_close(cache);
    ck_assert(!turn_begin(&turn));
    turn_end(&turn);
    ck_assert_uint_eq(looks + ends, 0);
}
END_TEST

START_TEST(who_ends_early_hears_nothing_and_gives_the_lock_back)
{
    char token[CACHE_TOKEN_SIZE];
    ck_assert(turn_begin(&turn));
    memcpy(token, turn.token, sizeof token);
    turn_end(&turn);
    fake.reply = ":1\r\n";
    fake_wait(2);
    check_last("CACHE.UNLOCK key", token, "");
    fake_say(":1\r\n"); // to the lock
    check_silence();
}
END_TEST

START_TEST(who_ends_while_it_looks_hears_nothing)
{
    fake.reply = ":0\r\n";
    ck_assert(turn_begin(&turn));
    look_in_vain();
    turn_end(&turn);
    check_silence();
    ck_assert_uint_eq(fake.commands, 2); // the second one is of check_silence
}
END_TEST

// --- Redis --------------------------------------------------------------------------------------

static void take_lock(void)
{
    unsigned commands = fake.commands + 1;
    test_page.header->redis_wait_ms = LOCK_MS;
    fake.reply = ":1\r\n";
    ck_assert(turn_begin(&turn));
    wait_look();
    ck_assert_uint_eq(fake.commands, commands);
    fake.reply = NULL;
}

// It looks, finds nothing under this key, and asks; then cachesvc says so.
static void ask_for(struct span missing, const char *reply)
{
    unsigned commands = fake.commands + 1;
    turn_go_on(&turn, missing);
    fake_wait(commands);
    ck_assert_uint_eq(ends, 0);
    check_last("EXISTS", missing.bytes, "");
    fake_say(reply);
}

START_TEST(with_the_lock_one_asks_for_what_is_missing)
{
    take_lock();
    const struct fake_client *locks = fake.client;
    ask_for(turn.key, ":0\r\n");
    ck_assert_ptr_ne(fake.client, locks); // no lock waits behind the question
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(looks, 1);
}
END_TEST

START_TEST(what_exists_is_looked_for_again_and_not_asked_for_twice)
{
    take_lock();
    ask_for(turn.key, ":1\r\n");
    look_in_vain();
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(fake.commands, 2);
}
END_TEST

START_TEST(a_variant_is_asked_for_behind_its_mark)
{
    take_lock();
    ask_for(turn.key, ":1\r\n");
    wait_look();
    ask_for(SPAN("key|v=1"), ":1\r\n");
    wait_look();
    turn_go_on(&turn, SPAN("key|v=2"));
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(fake.commands, 3);
}
END_TEST

START_TEST(nobody_is_asked_for_what_is_there)
{
    take_lock();
    turn_go_on(&turn, (struct span){NULL, 0});
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(fake.commands, 1);
}
END_TEST

START_TEST(without_redis_nobody_is_asked)
{
    take_lock();
    test_page.header->redis_wait_ms = 0;
    turn_go_on(&turn, turn.key);
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(fake.commands, 1);
}
END_TEST

START_TEST(who_waits_for_another_asks_nobody)
{
    test_page.header->redis_wait_ms = LOCK_MS;
    fake.reply = ":0\r\n";
    ck_assert(turn_begin(&turn));
    for (int i = 1; i < POLLS_A_LOCK; i++)
        look_in_vain();
    ck_assert_uint_eq(fake.commands, 1);
}
END_TEST

static const char *const no_answers[] = {NULL, "-ERR no\r\n", "+OK\r\n"};

START_TEST(without_an_answer_it_fetches)
{
    take_lock();
    test_page.header->redis_wait_ms = 1;
    cache->reply_ms = 1;
    fake.reply = no_answers[_i];
    turn_go_on(&turn, turn.key);
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(looks, 1);
}
END_TEST

START_TEST(when_it_cannot_ask_it_fetches)
{
    take_lock();
    cache_link_close(cache->slow_link);
    cache->slow_link = NULL;
    turn_go_on(&turn, turn.key);
    wait_end(TURN_FETCH);
}
END_TEST

START_TEST(who_ends_while_it_asks_hears_nothing_and_gives_the_lock_back)
{
    char token[CACHE_TOKEN_SIZE];
    take_lock();
    memcpy(token, turn.token, sizeof token);
    turn_go_on(&turn, turn.key);
    fake_wait(2);
    fake_say(":1\r\n");
    turn_end(&turn);
    fake_wait(3);
    check_last("CACHE.UNLOCK key", token, "");
    fake_say(":1\r\n");
    check_silence();
}
END_TEST

// --- counting -----------------------------------------------------------------------------------

START_TEST(who_is_replied_to_in_time_has_not_waited)
{
    take_lock();
    ask_for(turn.key, ":0\r\n");
    wait_end(TURN_FETCH);
    turn_end(&turn);
    ck_assert_uint_eq(count_waits(), 0);
}
END_TEST

START_TEST(who_is_not_has_waited_once_however_often)
{
    take_lock();
    cache->reply_ms = 1;
    test_page.header->redis_wait_ms = 1;
    turn_go_on(&turn, turn.key);
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(count_waits(), 1);
    ck_assert(turn_begin(&turn)); // on the other link, which has no reply to wait for
    ends = 0;
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(count_waits(), 1);
}
END_TEST

START_TEST(who_gives_up_has_waited_too)
{
    ck_assert(turn_begin(&turn));
    turn_end(&turn);
    ck_assert_uint_eq(count_waits(), 0); // it was not long
    ck_assert(turn_begin(&turn));
    cache->reply_ms = 1; // from the next call on; this one goes on
    wait_until(uv_now(&test_loop) + 1);
    turn_end(&turn);
    ck_assert_uint_eq(count_waits(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("turn");
    TCase *tests = tcase_create("turn");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, who_gets_the_lock_looks_and_fetches);
    tcase_add_test(tests, while_another_has_it_one_looks_and_asks_now_and_then);
    tcase_add_test(tests, when_another_takes_too_long_it_goes_alone);
    tcase_add_test(tests, the_first_time_no_reply_is_as_good_as_the_lock);
    tcase_add_test(tests, who_waits_for_another_goes_on_a_while_without_replies);
    tcase_add_test(tests, a_reply_makes_up_for_those_that_did_not_come);
    tcase_add_test(tests, without_a_link_nobody_is_asked);
    tcase_add_test(tests, who_ends_early_hears_nothing_and_gives_the_lock_back);
    tcase_add_test(tests, who_ends_while_it_looks_hears_nothing);
    tcase_add_test(tests, with_the_lock_one_asks_for_what_is_missing);
    tcase_add_test(tests, what_exists_is_looked_for_again_and_not_asked_for_twice);
    tcase_add_test(tests, a_variant_is_asked_for_behind_its_mark);
    tcase_add_test(tests, nobody_is_asked_for_what_is_there);
    tcase_add_test(tests, without_redis_nobody_is_asked);
    tcase_add_test(tests, who_waits_for_another_asks_nobody);
    tcase_add_loop_test(tests, without_an_answer_it_fetches, 0,
                        sizeof no_answers / sizeof no_answers[0]);
    tcase_add_test(tests, when_it_cannot_ask_it_fetches);
    tcase_add_test(tests, who_ends_while_it_asks_hears_nothing_and_gives_the_lock_back);
    tcase_add_test(tests, who_is_replied_to_in_time_has_not_waited);
    tcase_add_test(tests, who_is_not_has_waited_once_however_often);
    tcase_add_test(tests, who_gives_up_has_waited_too);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
