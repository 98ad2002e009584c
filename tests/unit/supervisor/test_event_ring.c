// The ring of events: the last ones, over the end of its writer, and what a kill in the middle of a
// record leaves.

#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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

// All of it the same letter, so that a mixture of two shows.
static void write_for_ever(struct event_ring *shared)
{
    struct event event = {0};
    for (uint64_t number = event_ring_last(shared) + 1;; number++) {
        event.wall_ms = number;
        memset(event.text, 'a' + (int)(number % 26), sizeof event.text - 1);
        event.id = (int64_t)number;
        event_ring_append(shared, &event);
    }
}

static void kill_a_writer(struct event_ring *shared)
{
    uint64_t before = event_ring_last(shared);
    pid_t writer = fork();
    ck_assert_int_ge(writer, 0);
    if (writer == 0)
        write_for_ever(shared);
    while (event_ring_last(shared) < before + 2 * EVENT_RING_RECORDS)
        sched_yield();
    kill(writer, SIGKILL);
    ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
}

static void check_all(const struct event_ring *shared)
{
    uint64_t last = event_ring_last(shared);
    size_t missing = 0;
    struct event event;
    for (uint64_t number = last - EVENT_RING_RECORDS + 1; number <= last; number++) {
        if (!event_ring_get(shared, number, &event)) {
            missing++;
            continue;
        }
        char letter[] = {(char)('a' + (int)(number % 26)), '\0'};
        ck_assert_uint_eq(event.wall_ms, number);
        ck_assert_int_eq(event.id, (int64_t)number);
        ck_assert_uint_eq(strspn(event.text, letter), sizeof event.text - 1);
    }
    ck_assert_uint_le(missing, 1); // the one that was being overwritten
}

START_TEST(a_killed_writer_leaves_whole_records)
{
    struct err err;
    struct event_ring *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    event_ring_format(shared);
    for (int i = 0; i < 60; i++) {
        kill_a_writer(shared);
        ck_assert_int_eq(event_ring_recover(shared, &err), 0);
        check_all(shared);
    }
    munmap(shared, sizeof *shared);
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
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_empty_ring);
    tcase_add_test(tests, the_last_ones_are_there);
    tcase_add_test(tests, a_successor_goes_on);
    tcase_add_loop_test(tests, a_torn_record_is_left_out, 0, 2);
    tcase_add_test(tests, a_whole_record_that_was_not_counted_is_kept);
    tcase_add_test(tests, a_killed_writer_leaves_whole_records);
    tcase_add_test(tests, another_version_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
