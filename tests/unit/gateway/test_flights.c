// Who leads, who waits, who hears what.

#include <check.h>
#include <string.h>

#include "flights.h"

enum { WAITERS = 4 };

static struct flights *flights;
static struct flight_waiter waiters[WAITERS];
static char heard[64]; // "0L" waiter 0 leads, "1D" for waiter 1 it is done
static struct flight *rejoined;

static void on_news(struct flight_waiter *waiter, enum flight_news news)
{
    char text[3] = {(char)('0' + (waiter - waiters)), news == FLIGHT_LEAD ? 'L' : 'D', '\0'};
    strcat(heard, text);
}

static void join_again(struct flight_waiter *waiter, enum flight_news news)
{
    on_news(waiter, news);
    rejoined = flights_join(flights, SPAN("a"), waiter);
}

static void set_up(void)
{
    flights = flights_new();
    heard[0] = '\0';
    for (size_t i = 0; i < WAITERS; i++)
        waiters[i] = (struct flight_waiter){.on_news = on_news};
}

static void tear_down(void)
{
    flights_free(flights);
}

static struct flight *join(struct span key, size_t waiter)
{
    return flights_join(flights, key, &waiters[waiter]);
}

START_TEST(one_leads_for_each_key)
{
    struct flight *a = join(SPAN("a"), 0), *b = join(SPAN("b"), 1);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_ne(a, b);
    ck_assert_ptr_null(join(SPAN("a"), 2));
    ck_assert_ptr_null(join(SPAN("a"), 3));
    flight_land(b);
    ck_assert_str_eq(heard, "");
    flight_land(a);
    ck_assert_str_eq(heard, "2D3D");
    struct flight *again = join(SPAN("a"), 0);
    ck_assert_ptr_nonnull(again);
    flight_land(again);
}
END_TEST

START_TEST(the_longest_waiting_leads_next)
{
    struct flight *flight = join(SPAN("a"), 0);
    for (size_t i = 1; i < WAITERS; i++)
        ck_assert_ptr_null(join(SPAN("a"), i));
    flight_give_up(flight);
    ck_assert_str_eq(heard, "1L");
    flight_give_up(flight);
    ck_assert_str_eq(heard, "1L2L");
    flight_land(flight);
    ck_assert_str_eq(heard, "1L2L3D");
}
END_TEST

START_TEST(who_leaves_hears_nothing)
{
    for (size_t gone = 1; gone < WAITERS; gone++) {
        struct flight *flight = join(SPAN("a"), 0);
        heard[0] = '\0';
        for (size_t i = 1; i < WAITERS; i++)
            ck_assert_ptr_null(join(SPAN("a"), i));
        flight_leave(&waiters[gone]);
        ck_assert_ptr_null(waiters[gone].at);
        flight_land(flight);
        ck_assert_uint_eq(strlen(heard), 2 * (WAITERS - 2));
        ck_assert_ptr_null(strchr(heard, (char)('0' + gone)));
    }
}
END_TEST

START_TEST(nobody_left_ends_it)
{
    struct flight *flight = join(SPAN("a"), 0);
    ck_assert_ptr_null(join(SPAN("a"), 1));
    flight_leave(&waiters[1]);
    flight_give_up(flight);
    ck_assert_str_eq(heard, "");
    flight = join(SPAN("a"), 1);
    ck_assert_ptr_nonnull(flight);
    flight_land(flight);
}
END_TEST

START_TEST(who_joins_while_it_lands_begins_anew)
{
    struct flight *flight = join(SPAN("a"), 0);
    waiters[1].on_news = join_again;
    ck_assert_ptr_null(join(SPAN("a"), 1));
    ck_assert_ptr_null(join(SPAN("a"), 2));
    flight_land(flight);
    ck_assert_str_eq(heard, "1D2D");
    ck_assert_ptr_nonnull(rejoined);
    flight_land(rejoined);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flights");
    TCase *tests = tcase_create("flights");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, one_leads_for_each_key);
    tcase_add_test(tests, the_longest_waiting_leads_next);
    tcase_add_test(tests, who_leaves_hears_nothing);
    tcase_add_test(tests, nobody_left_ends_it);
    tcase_add_test(tests, who_joins_while_it_lands_begins_anew);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
