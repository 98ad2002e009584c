// The link to cachesvc, with a cachesvc that the test plays in the same loop.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache_link.h"
#include "fake_cachesvc.h"

enum { LONG_MS = 60000, SHORT_MS = 5, BUSY_MS = 500, MEGABYTE = 1 << 20 };

static struct cache_link *tested;
static unsigned opened;

// What a call heard.
struct outcome {
    unsigned calls;
    bool replied;
    int64_t number;
    unsigned place; // among all that ended
};
static unsigned ended;

static void on_open(void *context)
{
    ck_assert_ptr_eq(context, &opened);
    opened++;
}

static void on_reply(void *context, bool replied, int64_t number)
{
    struct outcome *outcome = context;
    outcome->calls++;
    outcome->replied = replied;
    outcome->number = number;
    outcome->place = ++ended;
}

static struct cache_call *call(uint32_t limit_ms, struct outcome *outcome)
{
    static const struct span words[] = {SPAN("CACHE.WAIT"), SPAN("key")};
    *outcome = (struct outcome){0};
    struct cache_call *made = cache_link_call(tested, words, 2, limit_ms, on_reply, outcome);
    ck_assert_uint_eq(outcome->calls, 0); // never from within
    return made;
}

static bool has_opened(void *times)
{
    return opened >= *(unsigned *)times;
}

static void wait_opened(unsigned times)
{
    loop_test_wait(has_opened, &times);
    ck_assert_uint_eq(opened, times);
}

static bool has_ended(void *outcome)
{
    return ((struct outcome *)outcome)->calls > 0;
}

static void wait_for(struct outcome *outcome, bool replied, int64_t number)
{
    loop_test_wait(has_ended, outcome);
    ck_assert_uint_eq(outcome->calls, 1);
    ck_assert_int_eq(outcome->replied, replied);
    ck_assert_int_eq(outcome->number, number);
}

static void set_up_alone(void)
{
    loop_test_open();
    fake_prepare();
    opened = ended = 0;
}

static void open_link(void)
{
    tested = cache_link_open(&test_loop, "cache", fake.path, on_open, &opened);
}

static void set_up(void)
{
    set_up_alone();
    fake_listen();
    open_link();
    wait_opened(1);
}

static void tear_down(void)
{
    cache_link_close(tested);
    fake_close();
    loop_test_close();
}

// --- calls and replies --------------------------------------------------------------------------

START_TEST(commands_go_out_and_replies_come_in_their_order)
{
    struct outcome first, second, third;
    ck_assert_ptr_nonnull(call(LONG_MS, &first));
    ck_assert_ptr_nonnull(call(LONG_MS, &second));
    ck_assert_ptr_nonnull(call(LONG_MS, &third));
    fake_wait(3);
    ck_assert_str_eq(buf_text(&fake.last), "CACHE.WAIT key");
    ck_assert_uint_eq(ended, 0);
    fake_say(":1\r\n:2\r\n:");
    wait_for(&second, true, 2);
    ck_assert(first.replied && first.number == 1 && first.place == 1 && second.place == 2);
    ck_assert_uint_eq(third.calls, 0);
    fake_say("3\r\n");
    wait_for(&third, true, 3);
}
END_TEST

static const struct {
    const char *text;
    bool replied;
    int64_t number;
} replies[] = {
    {":1\r\n", true, 1},       {":-7\r\n", true, -7},     {"+OK\r\n", true, 0},
    {"$2\r\n42\r\n", true, 0}, {"$-1\r\n", true, 0},      {"*1\r\n:5\r\n", true, 0},
    {"*-1\r\n", true, 0},      {"-ERR no\r\n", false, 0},
};

START_TEST(what_a_reply_says)
{
    struct outcome outcome;
    fake.reply = replies[_i].text;
    ck_assert_ptr_nonnull(call(LONG_MS, &outcome));
    wait_for(&outcome, replies[_i].replied, replies[_i].number);
    ck_assert_ptr_nonnull(call(LONG_MS, &outcome)); // and it goes on
    wait_for(&outcome, replies[_i].replied, replies[_i].number);
    ck_assert_uint_eq(fake.accepted, 1);
}
END_TEST

START_TEST(words_may_be_empty_and_hold_anything)
{
    struct span words[] = {SPAN("SET"), {"a\r\nb", 4}, {"", 0}, {"\0x", 2}};
    ck_assert(cache_link_tell(tested, words, 4));
    fake_wait(1);
    ck_assert_uint_eq(fake.last.length, 3 + 1 + 4 + 1 + 0 + 1 + 2);
    ck_assert_int_eq(memcmp(fake.last.data, "SET a\r\nb  \0x", fake.last.length), 0);
}
END_TEST

START_TEST(nobody_hears_of_a_cancelled_call)
{
    struct outcome cancelled, next;
    struct cache_call *made = call(LONG_MS, &cancelled);
    ck_assert_ptr_nonnull(call(LONG_MS, &next));
    cache_call_cancel(made);
    fake_wait(2);
    fake_say(":1\r\n:2\r\n");
    wait_for(&next, true, 2); // its reply is still its own
    ck_assert_uint_eq(cancelled.calls, 0);

    cache_call_cancel(call(LONG_MS, &cancelled));
    fake_wait(3);
    fake_hang_up();
    wait_opened(2);
    ck_assert_uint_eq(cancelled.calls, 0);
}
END_TEST

// --- limits -------------------------------------------------------------------------------------

START_TEST(a_late_reply_is_not_the_next_ones)
{
    struct outcome late, waits, refused;
    ck_assert_ptr_nonnull(call(SHORT_MS, &late));
    ck_assert_ptr_nonnull(call(LONG_MS, &waits));
    wait_for(&late, false, 0);
    ck_assert_uint_eq(waits.calls, 0);
    // Who does not answer is not asked.
    ck_assert_ptr_null(call(LONG_MS, &refused));
    static const struct span word = {"FLUSHALL", 8};
    ck_assert(!cache_link_tell(tested, &word, 1));
    fake_wait(2);

    fake_say(":7\r\n:8\r\n");
    wait_for(&waits, true, 8);
    ck_assert_uint_eq(late.calls, 1);
    ck_assert_ptr_nonnull(call(LONG_MS, &refused));
    fake_wait(3);
    fake_say(":9\r\n");
    wait_for(&refused, true, 9);
    ck_assert_uint_eq(fake.accepted, 1);
}
END_TEST

START_TEST(a_lost_connection_owes_nothing)
{
    struct outcome late, next;
    ck_assert_ptr_nonnull(call(SHORT_MS, &late));
    wait_for(&late, false, 0);
    fake_hang_up();
    wait_opened(2);
    ck_assert_ptr_nonnull(call(LONG_MS, &next));
    fake_wait(2);
    fake_say(":2\r\n");
    wait_for(&next, true, 2);
    ck_assert_uint_eq(late.calls, 1);
}
END_TEST

START_TEST(of_a_cancelled_call_that_is_late_nobody_hears_either)
{
    struct outcome cancelled, late;
    cache_call_cancel(call(SHORT_MS, &cancelled));
    ck_assert_ptr_nonnull(call(SHORT_MS, &late));
    wait_for(&late, false, 0);
    ck_assert_uint_eq(cancelled.calls, 0);
    fake_wait(2);
    fake_say(":1\r\n:2\r\n");
    fake.reply = ":3\r\n";
    while (call(LONG_MS, &late) == NULL)
        uv_run(&test_loop, UV_RUN_ONCE);
    wait_for(&late, true, 3);
    ck_assert_uint_eq(cancelled.calls, 0);
}
END_TEST

// As a worker that has much else to do in one turn of its loop.
static void be_busy(uint64_t ms)
{
    uint64_t until = uv_hrtime() + ms * 1000000;
    while (uv_hrtime() < until)
        continue;
}

START_TEST(what_we_were_too_busy_to_read_is_not_late)
{
    struct outcome outcome;
    ck_assert_ptr_nonnull(call(BUSY_MS, &outcome));
    while (fake.commands == 0)
        uv_run(&test_loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(outcome.calls, 0);
    fake_say(":1\r\n");
    be_busy(BUSY_MS + 1);
    wait_for(&outcome, true, 1);
}
END_TEST

START_TEST(a_limit_begins_when_the_call_is_made)
{
    struct outcome outcome;
    fake.reply = ":1\r\n";
    be_busy(BUSY_MS + 1);
    ck_assert_ptr_nonnull(call(BUSY_MS, &outcome));
    wait_for(&outcome, true, 1);
}
END_TEST

static bool is_refused(void *word)
{
    return !cache_link_tell(tested, word, 1);
}

// What is not read piles up here only to a limit.
START_TEST(it_keeps_a_bounded_amount_unsent)
{
    char *bytes = calloc(1, MEGABYTE);
    struct span words[] = {SPAN("SET"), {bytes, MEGABYTE}};
    struct outcome outcomes[32];
    unsigned sent = 0;
    fake_read(false);
    for (; sent < 32; sent++) {
        outcomes[sent] = (struct outcome){0};
        if (!cache_link_call(tested, words, 2, LONG_MS, on_reply, &outcomes[sent]))
            break;
    }
    ck_assert_uint_ge(sent, 8);
    ck_assert_uint_le(sent, 10);
    ck_assert(is_refused(words));
    fake.reply = "+OK\r\n";
    fake_read(true);
    wait_for(&outcomes[sent - 1], true, 0);
    ck_assert_uint_eq(ended, sent);
    ck_assert(!is_refused(words));
    free(bytes);
}
END_TEST

// --- coming back --------------------------------------------------------------------------------

START_TEST(it_is_open_when_cachesvc_has_answered)
{
    struct outcome outcome;
    fake.ignores_pings = true;
    fake_listen();
    open_link();
    while (fake.pings == 0)
        uv_run(&test_loop, UV_RUN_ONCE);
    ck_assert_ptr_null(call(LONG_MS, &outcome));
    ck_assert_uint_eq(opened, 0);
    fake_say("+PONG\r\n");
    wait_opened(1);
    ck_assert_ptr_nonnull(call(LONG_MS, &outcome));
    fake_wait(1);
    fake_hang_up();
    wait_for(&outcome, false, 0);
}
END_TEST

START_TEST(who_refuses_to_answer_is_not_open)
{
    struct outcome outcome;
    fake.ignores_pings = true;
    fake_listen();
    open_link();
    while (fake.pings == 0)
        uv_run(&test_loop, UV_RUN_ONCE);
    fake_say("-NOAUTH\r\n");
    for (int turn = 0; turn < 3; turn++)
        uv_run(&test_loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(opened, 0);
    ck_assert_ptr_null(call(LONG_MS, &outcome));
}
END_TEST

static const char *const ends[] = {NULL, "?what\r\n", ":x1\r\n", "$-7\r\n"};

START_TEST(an_end_or_nonsense_ends_the_calls_and_it_connects_anew)
{
    struct outcome first, second, refused;
    ck_assert_ptr_nonnull(call(LONG_MS, &first));
    ck_assert_ptr_nonnull(call(LONG_MS, &second));
    fake_wait(2);
    if (ends[_i] == NULL)
        fake_hang_up();
    else
        fake_say(ends[_i]);
    wait_for(&second, false, 0);
    ck_assert(first.calls == 1 && !first.replied && first.place < second.place);
    ck_assert_ptr_null(call(LONG_MS, &refused));
    wait_opened(2);
    ck_assert_uint_eq(fake.accepted, 2);
    fake.reply = ":1\r\n";
    ck_assert_ptr_nonnull(call(LONG_MS, &first));
    wait_for(&first, true, 1);
}
END_TEST

START_TEST(what_is_not_there_may_come)
{
    struct outcome outcome;
    open_link();
    ck_assert_ptr_null(call(LONG_MS, &outcome));
    for (int turn = 0; turn < 3; turn++)
        uv_run(&test_loop, UV_RUN_ONCE);
    fake_listen();
    wait_opened(1);
}
END_TEST

static bool has_accepted(void *times)
{
    return fake.accepted >= *(unsigned *)times;
}

// Each wait is at least half as long again as the one before; a timer is never early.
START_TEST(it_waits_longer_from_try_to_try)
{
    static const unsigned waits[] = {20, 30, 45, 67, 100};
    unsigned tries = 1 + sizeof waits / sizeof waits[0];
    fake.hangs_up = true;
    fake_listen();
    open_link();
    loop_test_wait(has_accepted, &tries);
    for (unsigned i = 1; i < tries; i++)
        ck_assert_uint_ge(fake.accepted_at[i] - fake.accepted_at[i - 1] + 1, waits[i - 1]);
    ck_assert_uint_eq(opened, 0);
    fake.hangs_up = false;
    wait_opened(1);
}
END_TEST

// --- the end ------------------------------------------------------------------------------------

START_TEST(closing_ends_the_calls_at_once)
{
    struct outcome waits, late, cancelled;
    ck_assert_ptr_nonnull(call(SHORT_MS, &late));
    ck_assert_ptr_nonnull(call(LONG_MS, &waits));
    cache_call_cancel(call(LONG_MS, &cancelled));
    wait_for(&late, false, 0);
    cache_link_close(tested);
    tested = NULL;
    ck_assert(waits.calls == 1 && !waits.replied);
    ck_assert_uint_eq(late.calls, 1);
    ck_assert_uint_eq(cancelled.calls, 0);
    cache_link_close(NULL);
}
END_TEST

static void close_in_reply(void *context, bool replied, int64_t number)
{
    on_reply(context, replied, number);
    if (tested != NULL) {
        struct cache_link *closing = tested;
        tested = NULL;
        cache_link_close(closing);
    }
}

static const char *const last_words[] = {NULL, ":0\r\n", "?what\r\n"}; // NULL: it is late

START_TEST(it_may_be_closed_by_who_hears_a_reply)
{
    static const struct span word = {"GET", 3};
    struct outcome outcomes[2] = {{0}};
    for (size_t i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(cache_link_call(tested, &word, 1, last_words[_i] ? LONG_MS : SHORT_MS,
                                              close_in_reply, &outcomes[i]));
    fake_wait(2);
    if (last_words[_i] != NULL)
        fake_say(last_words[_i]);
    loop_test_wait(has_ended, &outcomes[1]);
    ck_assert_uint_eq(outcomes[0].calls, 1);
    ck_assert_uint_eq(outcomes[1].calls, 1);
    ck_assert_ptr_null(tested);
}
END_TEST

// While it connects, and while it waits to try again; loop_test_close sees what is left.
START_TEST(it_can_be_closed_whenever)
{
    open_link();
    cache_link_close(tested);
    open_link();
    for (int turn = 0; turn < 2; turn++)
        uv_run(&test_loop, UV_RUN_NOWAIT);
    cache_link_close(tested);
    fake_listen();
    open_link();
    cache_link_close(tested);
    tested = NULL;
    for (int turn = 0; turn < 3; turn++)
        uv_run(&test_loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(opened, 0);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name, void (*prepare)(void))
{
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, prepare, tear_down);
    suite_add_tcase(suite, tests);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("cache_link");
    TCase *tests = add_case(suite, "open", set_up);
    tcase_add_test(tests, commands_go_out_and_replies_come_in_their_order);
    tcase_add_loop_test(tests, what_a_reply_says, 0, sizeof replies / sizeof replies[0]);
    tcase_add_test(tests, words_may_be_empty_and_hold_anything);
    tcase_add_test(tests, nobody_hears_of_a_cancelled_call);
    tcase_add_test(tests, a_late_reply_is_not_the_next_ones);
    tcase_add_test(tests, a_lost_connection_owes_nothing);
    tcase_add_test(tests, of_a_cancelled_call_that_is_late_nobody_hears_either);
    tcase_add_test(tests, what_we_were_too_busy_to_read_is_not_late);
    tcase_add_test(tests, a_limit_begins_when_the_call_is_made);
    tcase_add_test(tests, it_keeps_a_bounded_amount_unsent);
    tcase_add_loop_test(tests, an_end_or_nonsense_ends_the_calls_and_it_connects_anew, 0,
                        sizeof ends / sizeof ends[0]);
    tcase_add_test(tests, closing_ends_the_calls_at_once);
    tcase_add_loop_test(tests, it_may_be_closed_by_who_hears_a_reply, 0,
                        sizeof last_words / sizeof last_words[0]);

    tests = add_case(suite, "alone", set_up_alone);
    tcase_add_test(tests, it_is_open_when_cachesvc_has_answered);
    tcase_add_test(tests, who_refuses_to_answer_is_not_open);
    tcase_add_test(tests, what_is_not_there_may_come);
    tcase_add_test(tests, it_waits_longer_from_try_to_try);
    tcase_add_test(tests, it_can_be_closed_whenever);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
