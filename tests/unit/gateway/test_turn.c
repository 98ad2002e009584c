// Whose turn it is: what a request hears when cachesvc, which the test plays, gives it the lock,
// gives it to somebody else, or does not reply.

#include <stdlib.h>

#include "fake_cachesvc.h"
#include "page_test.h"
#include "turn.h"

enum { LOCK_MS = 60000, POLLS_A_LOCK = 10, UNANSWERED_MAX = 4 };

static struct cache cache;
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
    (void)context;
    return cache.segment.base != NULL;
}

static void set_up(void)
{
    loop_test_open();
    fake_prepare();
    fake_listen();
    page_test_open();
    cache_init(&cache, &test_loop);
    cache.reply_ms = LOCK_MS; // whatever else the machine does
    cache_open(&cache, &test_loop, test_page.fd, fake.path);
    loop_test_wait(is_ready, NULL);
    turn = (struct turn){.loop = &test_loop,
                         .cache = &cache,
                         .key = SPAN("key"),
                         .lock_ms = LOCK_MS,
                         .until_ms = uv_now(&test_loop) + LOCK_MS,
                         .on_news = on_news};
    looks = ends = 0;
}

static void tear_down(void)
{
    turn_end(&turn);
    cache_close(&cache);
    cache_fini(&cache, &test_loop);
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

// Nothing is heard any more, however long it takes cachesvc to answer.
static void check_silence(void)
{
    unsigned before = looks + ends;
    struct span words[] = {SPAN("ECHO")};
    unsigned heard_by_fake = fake.commands + 1;
    fake.reply = ":0\r\n";
    ck_assert(cache_link_tell(cache.link, words, 1));
    loop_test_wait(fake_has_heard, &heard_by_fake);
    for (int round = 0; round < 3; round++) {
        uv_sleep(CACHE_POLL_MS);
        uv_run(&test_loop, UV_RUN_NOWAIT);
    }
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
    turn_go_on(&turn);
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
    cache.reply_ms = 1;
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
    cache.reply_ms = 1;
    fake.reply = NULL;
    turn_go_on(&turn);
    for (int i = 1; i < UNANSWERED_MAX * POLLS_A_LOCK; i++)
        look_in_vain();
    wait_end(TURN_FETCH);
    ck_assert_uint_eq(fake.commands, 2); // while it owed a reply it was not asked again
}
END_TEST

START_TEST(without_a_link_nobody_is_asked)
{
    cache_close(&cache);
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
    tcase_add_test(tests, without_a_link_nobody_is_asked);
    tcase_add_test(tests, who_ends_early_hears_nothing_and_gives_the_lock_back);
    tcase_add_test(tests, who_ends_while_it_looks_hears_nothing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
