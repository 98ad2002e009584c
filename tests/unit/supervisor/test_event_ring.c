// The ring of events: the last ones, over the end of its writer, and what a kill in the middle of a
// record leaves.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "event_ring.h"

static struct event_ring *ring;

static void set_up(void)
{
    ring = mem_zalloc(1, sizeof *ring);
    event_ring_format(ring);
}

static void tear_down(void)
{
    free(ring);
}

static struct event numbered(unsigned number)
{
    struct event event = {.wall_ms = number, .id = (int64_t)number};
    snprintf(event.text, sizeof event.text, "event %u", number);
    return event;
}

static void append(unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++) {
        struct event event = numbered(i);
        event_ring_append(ring, &event);
    }
}

static void expect(unsigned number)
{
    struct event found, wanted = numbered(number);
    ck_assert(event_ring_get(ring, number, &found));
    ck_assert_uint_eq(found.wall_ms, number);
    ck_assert_int_eq(found.id, number);
    ck_assert_str_eq(found.text, wanted.text);
}

static void expect_none(uint64_t number)
{
    struct event found;
    ck_assert(!event_ring_get(ring, number, &found));
}

static void recover(void)
{
    struct err err;
    ck_assert_int_eq(event_ring_recover(ring, &err), 0);
}

START_TEST(an_empty_ring)
{
    ck_assert_uint_eq(event_ring_last(ring), 0);
    expect_none(0);
    expect_none(1);
    expect_none(UINT64_MAX);
    recover();
    ck_assert_uint_eq(event_ring_last(ring), 0);
}
END_TEST

START_TEST(the_last_ones_are_there)
{
    append(1, EVENT_RING_RECORDS + 10);
    ck_assert_uint_eq(event_ring_last(ring), EVENT_RING_RECORDS + 10);
    expect_none(10);
    expect(11);
    expect(EVENT_RING_RECORDS);
    expect(EVENT_RING_RECORDS + 10);
    expect_none(EVENT_RING_RECORDS + 11);
}
END_TEST

START_TEST(a_successor_goes_on)
{
    append(1, 3);
    recover();
    append(4, 4);
    ck_assert_uint_eq(event_ring_last(ring), 4);
    for (unsigned i = 1; i <= 4; i++)
        expect(i);
}
END_TEST

// What a writer leaves that was killed after a step of the record with this number.
static void tear(uint64_t number, bool filled, bool whole)
{
    struct event_record *record = &ring->record[(number - 1) % EVENT_RING_RECORDS];
    atomic_store(&record->number, 0);
    memset(&record->event, 'x', filled ? sizeof record->event : sizeof record->event / 2);
    if (whole) {
        record->event = numbered((unsigned)number);
        atomic_store(&record->number, number);
    }
}

START_TEST(a_torn_record_is_left_out)
{
    append(1, EVENT_RING_RECORDS);
    tear(EVENT_RING_RECORDS + 1, _i, false);
    recover();
    ck_assert_uint_eq(event_ring_last(ring), EVENT_RING_RECORDS);
    expect_none(1); // it was being overwritten
    expect(2);
    expect(EVENT_RING_RECORDS);
    expect_none(EVENT_RING_RECORDS + 1);
    append(EVENT_RING_RECORDS + 1, EVENT_RING_RECORDS + 1);
    expect(EVENT_RING_RECORDS + 1);
}
END_TEST

START_TEST(a_whole_record_that_was_not_counted_is_kept)
{
    append(1, 2);
    tear(3, true, true);
    recover();
    ck_assert_uint_eq(event_ring_last(ring), 3);
    expect(3);
}
END_TEST

START_TEST(another_version_is_refused)
{
    struct err err;
    ring->version++;
    ck_assert_int_eq(event_ring_recover(ring, &err), -1);
    ck_assert_str_eq(err.text, "events page: another version or damaged");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("event_ring");
    TCase *tests = tcase_create("event_ring");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_empty_ring);
    tcase_add_test(tests, the_last_ones_are_there);
    tcase_add_test(tests, a_successor_goes_on);
    tcase_add_loop_test(tests, a_torn_record_is_left_out, 0, 2);
    tcase_add_test(tests, a_whole_record_that_was_not_counted_is_kept);
    tcase_add_test(tests, another_version_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
