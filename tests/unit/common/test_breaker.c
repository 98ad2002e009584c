// The breaker: each transition, the ways in which breakers are known to stick or to open wrongly,
// random histories beside a plain model, and many processes on one, some of them killed.
#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/breaker.h"

static const struct breaker_policy standard = BREAKER_POLICY_DEFAULT;

static struct breaker breaker;
static struct breaker_policy policy;
static uint64_t now_ms;

static void set_up(void)
{
    breaker_init(&breaker);
    policy = standard;
    now_ms = 1000000;
}

static struct breaker_call begin(enum breaker_answer expected)
{
    struct breaker_call call;
    ck_assert_int_eq(breaker_allow(&breaker, &policy, now_ms, &call), BREAKER_STAYS);
    ck_assert_int_eq(call.answer, expected);
    return call;
}

static enum breaker_transition end(const struct breaker_call *call, enum breaker_result result)
{
    return breaker_on_result(&breaker, &policy, call, result, now_ms);
}

// A call while closed.
static enum breaker_transition make_call(enum breaker_result result)
{
    struct breaker_call call = begin(BREAKER_ALLOWED);
    return end(&call, result);
}

static void check_state(enum breaker_state expected)
{
    ck_assert_int_eq(breaker_state(&breaker, &policy, now_ms), expected);
}

static void open_it(void)
{
    for (uint32_t i = 1; i < policy.failure_threshold; i++)
        ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_STAYS);
    ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_OPENS);
}

// Returns the first trial call.
static struct breaker_call half_open_it(void)
{
    struct breaker_call call;
    open_it();
    now_ms += policy.timeout_ms;
    ck_assert_int_eq(breaker_allow(&breaker, &policy, now_ms, &call), BREAKER_HALF_OPENS);
    ck_assert_int_eq(call.answer, BREAKER_ALLOWED_TRIAL);
    return call;
}

// --- transitions --------------------------------------------------------------------------------

START_TEST(numbers_are_those_of_the_metric)
{
    ck_assert_int_eq(BREAKER_CLOSED, 0);
    ck_assert_int_eq(BREAKER_HALF_OPEN, 1);
    ck_assert_int_eq(BREAKER_OPEN, 2);
    ck_assert_str_eq(breaker_state_name(BREAKER_CLOSED), "closed");
    ck_assert_str_eq(breaker_state_name(BREAKER_HALF_OPEN), "half-open");
    ck_assert_str_eq(breaker_state_name(BREAKER_OPEN), "open");
}
END_TEST

START_TEST(whole_circle)
{
    check_state(BREAKER_CLOSED);
    struct breaker_call call = half_open_it();
    check_state(BREAKER_HALF_OPEN);
    ck_assert_int_eq(end(&call, BREAKER_SUCCESS), BREAKER_STAYS);
    call = begin(BREAKER_ALLOWED_TRIAL);
    ck_assert_int_eq(end(&call, BREAKER_SUCCESS), BREAKER_CLOSES);
    check_state(BREAKER_CLOSED);
    open_it(); // needs as many failures as the first time
    check_state(BREAKER_OPEN);
}
END_TEST

START_TEST(rejects_until_the_timeout_and_says_how_long)
{
    open_it();
    ck_assert_uint_eq(begin(BREAKER_REJECTED).retry_ms, 60000);
    now_ms += 59999;
    struct breaker_call call = begin(BREAKER_REJECTED);
    ck_assert_uint_eq(call.retry_ms, 1);
    ck_assert_int_eq(end(&call, BREAKER_FAILURE), BREAKER_STAYS);
    ck_assert_uint_eq(breaker_stats(&breaker).failures, 5);
    policy.timeout_ms = 1000; // a new policy holds at once
    check_state(BREAKER_HALF_OPEN);
}
END_TEST

START_TEST(success_ends_a_streak)
{
    for (int i = 0; i < 4; i++)
        make_call(BREAKER_FAILURE);
    make_call(BREAKER_SUCCESS);
    policy.failure_rate = 0;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_STAYS);
    make_call(BREAKER_IGNORED); // is no success
    ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_OPENS);
}
END_TEST

START_TEST(by_hand)
{
    ck_assert_int_eq(breaker_trip(&breaker, now_ms), BREAKER_OPENS);
    begin(BREAKER_REJECTED);
    now_ms += 50000;
    ck_assert_int_eq(breaker_trip(&breaker, now_ms), BREAKER_STAYS); // waits anew
    now_ms += 59999;
    check_state(BREAKER_OPEN);
    ck_assert_int_eq(breaker_reset(&breaker, now_ms), BREAKER_CLOSES);
    for (int i = 0; i < 4; i++)
        make_call(BREAKER_FAILURE);
    ck_assert_int_eq(breaker_reset(&breaker, now_ms), BREAKER_STAYS); // forgets the four
    half_open_it();
    ck_assert_int_eq(breaker_trip(&breaker, now_ms), BREAKER_OPENS);
    now_ms += policy.timeout_ms;
    struct breaker_call call;
    breaker_allow(&breaker, &policy, now_ms, &call);
    ck_assert_int_eq(breaker_reset(&breaker, now_ms), BREAKER_CLOSES);
    ck_assert_uint_eq(breaker_stats(&breaker).epoch, 9);
}
END_TEST

START_TEST(statistics)
{
    ck_assert_double_eq(breaker_stats(&breaker).success_rate, 1);
    for (int i = 0; i < 15; i++)
        make_call(BREAKER_SUCCESS);
    make_call(BREAKER_IGNORED);
    open_it();
    begin(BREAKER_REJECTED);
    begin(BREAKER_REJECTED);
    struct breaker_stats stats = breaker_stats(&breaker);
    ck_assert_uint_eq(stats.calls, 20);
    ck_assert_uint_eq(stats.successes, 15);
    ck_assert_uint_eq(stats.failures, 5);
    ck_assert_uint_eq(stats.rejected, 2);
    ck_assert_double_eq(stats.success_rate, 0.75);
    ck_assert_uint_eq(stats.epoch, 1);
}
END_TEST

// --- the window ---------------------------------------------------------------------------------

START_TEST(first_failure_does_not_open)
{
    ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_STAYS);
    check_state(BREAKER_CLOSED);
}
END_TEST

START_TEST(share_of_failures_opens_from_the_volume_on)
{
    policy.failure_threshold = 0;
    for (int i = 0; i < 4; i++) {
        make_call(BREAKER_SUCCESS);
        ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_STAYS);
    }
    make_call(BREAKER_SUCCESS);
    ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_OPENS); // 5 of 10
}
END_TEST

START_TEST(share_below_the_rate_does_not_open)
{
    policy.failure_threshold = 0;
    for (int i = 0; i < 100; i++) {
        make_call(BREAKER_SUCCESS);
        make_call(BREAKER_SUCCESS);
        ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_STAYS);
    }
    policy.failure_rate = 0; // and none at all never does
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_STAYS);
}
END_TEST

START_TEST(what_is_older_than_the_window_is_forgotten)
{
    policy.failure_threshold = 0;
    breaker_reset(&breaker, now_ms); // buckets begin here
    for (int i = 0; i < 9; i++)
        make_call(BREAKER_FAILURE);
    now_ms += policy.window_ms;
    ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_STAYS);
    for (int i = 0; i < 8; i++)
        make_call(BREAKER_FAILURE);
    now_ms += policy.window_ms - 1; // still there
    ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_OPENS);
}
END_TEST

START_TEST(calls_beyond_what_a_bucket_counts)
{
    policy.failure_threshold = 0;
    for (int i = 0; i < 70000; i++)
        make_call(BREAKER_SUCCESS);
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_STAYS);
    bool opened = false;
    for (int i = 0; i < 70000 && !opened; i++)
        opened = make_call(BREAKER_FAILURE) == BREAKER_OPENS;
    ck_assert(opened);
}
END_TEST

START_TEST(ignored_calls_do_not_count)
{
    policy.failure_threshold = 0;
    for (int i = 0; i < 9; i++)
        make_call(BREAKER_FAILURE);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(make_call(BREAKER_IGNORED), BREAKER_STAYS);
    ck_assert_int_eq(make_call(BREAKER_FAILURE), BREAKER_OPENS); // the tenth
}
END_TEST

START_TEST(clock_of_another_process_may_be_behind)
{
    open_it();
    now_ms -= 500;
    ck_assert_uint_eq(begin(BREAKER_REJECTED).retry_ms, 60000);
    breaker_reset(&breaker, now_ms + 500);
    open_it(); // counts all the same
}
END_TEST

// --- half-open ----------------------------------------------------------------------------------

START_TEST(half_open_lets_through_no_more_than_the_permits)
{
    policy.permits = 3;
    struct breaker_call call = half_open_it();
    begin(BREAKER_ALLOWED_TRIAL);
    begin(BREAKER_ALLOWED_TRIAL);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(begin(BREAKER_REJECTED).retry_ms, 0);
    end(&call, BREAKER_SUCCESS);
    begin(BREAKER_ALLOWED_TRIAL);
    begin(BREAKER_REJECTED);
}
END_TEST

START_TEST(one_failed_trial_opens_whatever_the_volume)
{
    struct breaker_call call = half_open_it();
    now_ms += 10;
    ck_assert_int_eq(end(&call, BREAKER_FAILURE), BREAKER_OPENS);
    ck_assert_uint_eq(begin(BREAKER_REJECTED).retry_ms, 60000);
}
END_TEST

START_TEST(success_of_a_trial_needs_no_volume)
{
    policy.success_threshold = 1;
    struct breaker_call call = half_open_it();
    ck_assert_int_eq(end(&call, BREAKER_SUCCESS), BREAKER_CLOSES);
}
END_TEST

START_TEST(failures_at_the_same_time_open_once)
{
    enum { CALLS = 50 };
    struct breaker_call calls[CALLS];
    int opened = 0;
    for (int i = 0; i < CALLS; i++)
        calls[i] = begin(BREAKER_ALLOWED);
    for (int i = 0; i < CALLS; i++, now_ms++)
        opened += end(&calls[i], BREAKER_FAILURE) == BREAKER_OPENS;
    ck_assert_int_eq(opened, 1);
    // The fifth opened it; the others have not put off the end.
    ck_assert_uint_eq(begin(BREAKER_REJECTED).retry_ms, 60000 - (CALLS - 4));
}
END_TEST

START_TEST(permit_that_is_never_given_back_runs_out)
{
    struct breaker_call lost = half_open_it();
    now_ms += policy.permit_ms - 1;
    begin(BREAKER_REJECTED);
    now_ms++;
    struct breaker_call call = begin(BREAKER_ALLOWED_TRIAL);
    // Its holder lives after all: it does not give back the other's.
    ck_assert_int_eq(end(&lost, BREAKER_SUCCESS), BREAKER_STAYS);
    begin(BREAKER_REJECTED);
    ck_assert_int_eq(end(&call, BREAKER_SUCCESS), BREAKER_CLOSES);
}
END_TEST

START_TEST(ignored_trial_gives_back_its_permit)
{
    struct breaker_call call = half_open_it();
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(end(&call, BREAKER_IGNORED), BREAKER_STAYS);
        call = begin(BREAKER_ALLOWED_TRIAL);
    }
    check_state(BREAKER_HALF_OPEN);
}
END_TEST

START_TEST(half_open_by_time_without_a_call)
{
    open_it();
    now_ms += policy.timeout_ms - 1;
    check_state(BREAKER_OPEN);
    now_ms++;
    check_state(BREAKER_HALF_OPEN);
    ck_assert_uint_eq(breaker_stats(&breaker).epoch, 1);
}
END_TEST

START_TEST(results_from_before_a_transition_do_not_count)
{
    struct breaker_call old = begin(BREAKER_ALLOWED);
    struct breaker_call trial = half_open_it();
    ck_assert_int_eq(end(&old, BREAKER_FAILURE), BREAKER_STAYS);
    policy.success_threshold = 1;
    ck_assert_int_eq(end(&old, BREAKER_SUCCESS), BREAKER_STAYS);
    ck_assert_int_eq(end(&trial, BREAKER_SUCCESS), BREAKER_CLOSES);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(end(&old, BREAKER_FAILURE), BREAKER_STAYS);
        ck_assert_int_eq(end(&trial, BREAKER_FAILURE), BREAKER_STAYS);
    }
    check_state(BREAKER_CLOSED);
    ck_assert_uint_eq(breaker_stats(&breaker).failures, 5 + 1 + 20);
}
END_TEST

START_TEST(permits_of_an_earlier_half_open_are_free)
{
    policy.permits = 2;
    policy.permit_ms = 10 * policy.timeout_ms;
    struct breaker_call call = half_open_it();
    struct breaker_call old = begin(BREAKER_ALLOWED_TRIAL);
    end(&call, BREAKER_FAILURE);
    now_ms += policy.timeout_ms;
    breaker_allow(&breaker, &policy, now_ms, &call);
    begin(BREAKER_ALLOWED_TRIAL);
    end(&old, BREAKER_SUCCESS);
    begin(BREAKER_REJECTED);
}
END_TEST

START_TEST(state_that_nobody_writes_is_open_for_a_while)
{
    struct breaker_call call;
    atomic_store(&breaker.word, UINT64_C(3) << 40 | now_ms);
    begin(BREAKER_REJECTED);
    now_ms += policy.timeout_ms;
    ck_assert_int_eq(breaker_allow(&breaker, &policy, now_ms, &call), BREAKER_HALF_OPENS);
    ck_assert_int_eq(call.answer, BREAKER_ALLOWED_TRIAL);
}
END_TEST

// --- a model ------------------------------------------------------------------------------------

enum { CALLS_MAX = 40, RESULTS_MAX = 20000, STEPS = 20000 };

// The same rules over lists of what has happened, with nothing packed.
struct model {
    enum breaker_state state;
    uint32_t epoch;
    uint64_t since_ms;
    uint32_t streak;
    uint32_t count;
    struct {
        uint64_t turn;
        bool failed;
    } results[RESULTS_MAX];
    uint64_t deadlines[BREAKER_PERMITS_MAX]; // 0: free
};

struct open_call {
    struct breaker_call call;
    uint32_t epoch;
    uint64_t deadline; // 0: no permit
};

static struct model model;
static struct open_call calls[CALLS_MAX];
static uint32_t call_count, seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

static enum breaker_transition model_change(enum breaker_state state)
{
    static const enum breaker_transition transitions[] = {BREAKER_CLOSES, BREAKER_HALF_OPENS,
                                                          BREAKER_OPENS};
    model = (struct model){.state = state, .epoch = model.epoch + 1, .since_ms = now_ms};
    return transitions[state];
}

static bool model_is_bad(uint64_t turn)
{
    uint32_t total = 0, failed = 0;
    for (uint32_t i = 0; i < model.count; i++) {
        if (model.results[i].turn + BREAKER_BUCKETS <= turn)
            continue;
        total++;
        failed += model.results[i].failed;
    }
    return model.streak >= policy.failure_threshold ||
           (total >= policy.volume_threshold && failed >= policy.failure_rate * total);
}

static enum breaker_transition model_result(const struct open_call *call,
                                            enum breaker_result result)
{
    for (uint32_t i = 0; i < policy.permits && call->epoch == model.epoch; i++) {
        if (call->deadline && i == call->call.permit_index && model.deadlines[i] == call->deadline)
            model.deadlines[i] = 0;
    }
    if (result == BREAKER_IGNORED || call->epoch != model.epoch)
        return BREAKER_STAYS;
    if (model.state == BREAKER_HALF_OPEN && result == BREAKER_FAILURE)
        return model_change(BREAKER_OPEN);
    if (model.state == BREAKER_HALF_OPEN)
        return ++model.streak < policy.success_threshold ? BREAKER_STAYS
                                                         : model_change(BREAKER_CLOSED);
    uint64_t turn = (now_ms - model.since_ms) / (policy.window_ms / BREAKER_BUCKETS);
    ck_assert_uint_lt(model.count, RESULTS_MAX);
    model.results[model.count].turn = turn;
    model.results[model.count++].failed = result == BREAKER_FAILURE;
    model.streak = result == BREAKER_FAILURE ? model.streak + 1 : 0;
    if (result == BREAKER_FAILURE && model_is_bad(turn))
        return model_change(BREAKER_OPEN);
    return BREAKER_STAYS;
}

static enum breaker_answer model_allow(struct open_call *call, enum breaker_transition *transition)
{
    *transition = BREAKER_STAYS;
    call->deadline = 0;
    if (model.state == BREAKER_OPEN && now_ms - model.since_ms >= policy.timeout_ms)
        *transition = model_change(BREAKER_HALF_OPEN);
    call->epoch = model.epoch;
    if (model.state == BREAKER_CLOSED)
        return BREAKER_ALLOWED;
    if (model.state == BREAKER_OPEN)
        return BREAKER_REJECTED;
    for (uint32_t i = 0; i < policy.permits; i++) {
        if (model.deadlines[i] > now_ms)
            continue;
        call->deadline = model.deadlines[i] = now_ms + policy.permit_ms;
        return BREAKER_ALLOWED_TRIAL;
    }
    return BREAKER_REJECTED;
}

static void step_allow(void)
{
    struct open_call call;
    enum breaker_transition expected;
    enum breaker_transition transition = breaker_allow(&breaker, &policy, now_ms, &call.call);
    enum breaker_answer answer = model_allow(&call, &expected);
    ck_assert_int_eq(transition, expected);
    ck_assert_int_eq(call.call.answer, answer);
    if (answer != BREAKER_REJECTED)
        calls[call_count++] = call;
}

static void step_result(uint32_t failures_percent)
{
    uint32_t chosen = random_below(call_count);
    struct open_call call = calls[chosen];
    enum breaker_result result = random_below(100) < failures_percent ? BREAKER_FAILURE
                                 : random_below(8)                    ? BREAKER_SUCCESS
                                                                      : BREAKER_IGNORED;
    calls[chosen] = calls[--call_count];
    ck_assert_int_eq(end(&call.call, result), model_result(&call, result));
}

static void step_by_hand(void)
{
    enum breaker_state before = model.state, to = random_below(2) ? BREAKER_OPEN : BREAKER_CLOSED;
    enum breaker_transition expected = model_change(to);
    enum breaker_transition transition =
        to == BREAKER_OPEN ? breaker_trip(&breaker, now_ms) : breaker_reset(&breaker, now_ms);
    ck_assert_int_eq(transition, before == to ? BREAKER_STAYS : expected);
}

START_TEST(random_histories)
{
    seed = (uint32_t)_i + 1;
    policy = (struct breaker_policy){2 + random_below(8), 0.1 + random_below(8) / 10.0,
                                     random_below(30),    20 + random_below(2000),
                                     random_below(500),   1 + random_below(4),
                                     1 + random_below(4), 1 + random_below(300)};
    now_ms = 0;
    call_count = 0;
    model = (struct model){.state = BREAKER_CLOSED};
    uint32_t visits[3] = {0};
    for (int i = 0; i < STEPS; i++) {
        uint32_t what = random_below(1000);
        if (what < 3)
            step_by_hand();
        else if (what < 450 && call_count < CALLS_MAX)
            step_allow();
        else if (what < 800 && call_count > 0)
            step_result(i / 500 % 2 ? 60 : 8);
        else
            now_ms += random_below(40);
        bool waited = model.state == BREAKER_OPEN && now_ms - model.since_ms >= policy.timeout_ms;
        check_state(waited ? BREAKER_HALF_OPEN : model.state);
        visits[model.state]++;
    }
    ck_assert_uint_eq(breaker_stats(&breaker).epoch, model.epoch);
    for (int state = 0; state < 3; state++)
        ck_assert_uint_gt(visits[state], 100);
}
END_TEST

// --- many processes -----------------------------------------------------------------------------

enum { CHILDREN = 4, CALLS_EACH = 30000, KILLS = 200, EPOCHS = 1 << 22 };

struct shared {
    struct breaker breaker;
    _Atomic uint64_t now_ms;
    _Atomic uint64_t calls;
    _Atomic uint64_t reported[BREAKER_OPENS + 1];
    _Atomic uint8_t trials[EPOCHS]; // under way, by the number of the epoch
};

static const struct breaker_policy busy = {3, 0.4, 10, 100, 20, 2, 2, 200};
static struct shared *shared;

static void report(enum breaker_transition transition)
{
    atomic_fetch_add(&shared->reported[transition], 1);
}

// One call; with dies, one trial in four takes its permit to the grave.
static void call_shared(const struct breaker_policy *with, bool dies)
{
    struct breaker_call call;
    uint64_t now = atomic_fetch_add(&shared->now_ms, random_below(3));
    report(breaker_allow(&shared->breaker, with, now, &call));
    if (call.answer == BREAKER_ALLOWED_TRIAL && !dies &&
        atomic_fetch_add(&shared->trials[call.epoch >> 2], 1) >= with->permits)
        abort();
    if (call.answer == BREAKER_ALLOWED_TRIAL && dies && random_below(4) == 0)
        kill(getpid(), SIGKILL);
    if (call.answer == BREAKER_ALLOWED_TRIAL || random_below(20) == 0)
        sched_yield();
    if (call.answer == BREAKER_ALLOWED_TRIAL && !dies)
        atomic_fetch_sub(&shared->trials[call.epoch >> 2], 1);
    uint32_t failure_in = call.answer == BREAKER_ALLOWED_TRIAL ? 32 : 4;
    enum breaker_result result = random_below(failure_in) ? BREAKER_SUCCESS : BREAKER_FAILURE;
    report(breaker_on_result(&shared->breaker, with, &call, result, now + random_below(3)));
    atomic_fetch_add(&shared->calls, 1);
}

static pid_t start(uint32_t number, bool dies)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    struct breaker_policy patient = busy;
    patient.permit_ms = 1000000000; // so that two trials at a time are a mistake
    patient.permits = 1;
    patient.success_threshold = 20;
    seed = number;
    for (uint32_t i = 0; dies || i < CALLS_EACH; i++)
        call_shared(dies ? &busy : &patient, dies);
    _exit(0);
}

static void share(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    atomic_store(&shared->now_ms, 1000);
}

static uint64_t reported(enum breaker_transition transition)
{
    return atomic_load(&shared->reported[transition]);
}

START_TEST(processes_report_each_change_once)
{
    pid_t children[CHILDREN];
    int status;
    share();
    for (uint32_t i = 0; i < CHILDREN; i++)
        children[i] = start(i + 1, false);
    for (int i = 0; i < CHILDREN; i++) {
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0); // else more trials than permits
    }
    uint64_t opened = reported(BREAKER_OPENS), halved = reported(BREAKER_HALF_OPENS),
             closed = reported(BREAKER_CLOSES);
    struct breaker_stats stats = breaker_stats(&shared->breaker);
    ck_assert_uint_gt(opened, 0);
    ck_assert_uint_eq(opened + halved + closed, stats.epoch);
    ck_assert_uint_le(halved, opened);
    ck_assert_uint_le(opened - halved, 1); // each open but the last has ended
    ck_assert_uint_eq(stats.calls + stats.rejected, (uint64_t)CHILDREN * CALLS_EACH);
    munmap(shared, sizeof *shared);
}
END_TEST

// Whatever the dead have left behind: time alone brings it back.
static void check_comes_back(void)
{
    struct breaker_call call;
    uint64_t now = atomic_load(&shared->now_ms) + busy.timeout_ms + busy.permit_ms;
    for (int i = 0; i < 2; i++) {
        report(breaker_allow(&shared->breaker, &busy, now, &call));
        ck_assert_int_ne(call.answer, BREAKER_REJECTED);
        report(breaker_on_result(&shared->breaker, &busy, &call, BREAKER_SUCCESS, now));
    }
    ck_assert_int_eq(breaker_state(&shared->breaker, &busy, now), BREAKER_CLOSED);
}

START_TEST(killed_processes_leave_nothing_held)
{
    pid_t children[CHILDREN];
    uint64_t holders = 0;
    share();
    seed = 7;
    for (uint32_t i = 0; i < CHILDREN; i++)
        children[i] = start(i + 1, true);
    for (uint32_t kills = 0; kills < KILLS; kills++) {
        uint32_t chosen = kills % CHILDREN;
        uint64_t enough = atomic_load(&shared->calls) + random_below(500);
        int status = 0;
        pid_t dead = 0;
        while (dead == 0 && atomic_load(&shared->calls) < enough) {
            sched_yield();
            dead = waitpid(children[chosen], &status, WNOHANG);
        }
        holders += dead > 0; // by its own hand, with a permit
        if (dead == 0) {
            kill(children[chosen], SIGKILL);
            ck_assert_int_eq(waitpid(children[chosen], &status, 0), children[chosen]);
        }
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        children[chosen] = start(kills + 100, true);
    }
    for (int i = 0; i < CHILDREN; i++) {
        kill(children[i], SIGKILL);
        ck_assert_int_eq(waitpid(children[i], NULL, 0), children[i]);
    }
    check_comes_back();
    uint64_t told =
        reported(BREAKER_OPENS) + reported(BREAKER_HALF_OPENS) + reported(BREAKER_CLOSES);
    uint64_t changes = breaker_stats(&shared->breaker).epoch;
    ck_assert_uint_gt(holders, 0);
    ck_assert_uint_gt(changes, 50);
    ck_assert_uint_le(told, changes);
    ck_assert_uint_le(changes - told, KILLS + CHILDREN); // killed before they could tell
    munmap(shared, sizeof *shared);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("breaker");
    TCase *tests = tcase_create("breaker");
    tcase_set_timeout(tests, 50);
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, numbers_are_those_of_the_metric);
    tcase_add_test(tests, whole_circle);
    tcase_add_test(tests, rejects_until_the_timeout_and_says_how_long);
    tcase_add_test(tests, success_ends_a_streak);
    tcase_add_test(tests, by_hand);
    tcase_add_test(tests, statistics);
    tcase_add_test(tests, first_failure_does_not_open);
    tcase_add_test(tests, share_of_failures_opens_from_the_volume_on);
    tcase_add_test(tests, share_below_the_rate_does_not_open);
    tcase_add_test(tests, what_is_older_than_the_window_is_forgotten);
    tcase_add_test(tests, calls_beyond_what_a_bucket_counts);
    tcase_add_test(tests, ignored_calls_do_not_count);
    tcase_add_test(tests, clock_of_another_process_may_be_behind);
    tcase_add_test(tests, half_open_lets_through_no_more_than_the_permits);
    tcase_add_test(tests, one_failed_trial_opens_whatever_the_volume);
    tcase_add_test(tests, success_of_a_trial_needs_no_volume);
    tcase_add_test(tests, failures_at_the_same_time_open_once);
    tcase_add_test(tests, permit_that_is_never_given_back_runs_out);
    tcase_add_test(tests, ignored_trial_gives_back_its_permit);
    tcase_add_test(tests, half_open_by_time_without_a_call);
    tcase_add_test(tests, results_from_before_a_transition_do_not_count);
    tcase_add_test(tests, permits_of_an_earlier_half_open_are_free);
    tcase_add_test(tests, state_that_nobody_writes_is_open_for_a_while);
    tcase_add_loop_test(tests, random_histories, 0, 8);
    tcase_add_test(tests, processes_report_each_change_once);
    tcase_add_test(tests, killed_processes_leave_nothing_held);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
