// The states of breaker.h, changed by many processes without a lock.
//
//              failures in a row, or their share of the window
//      CLOSED ------------------------------------------------> OPEN
//        ^                                                      ^  |
//        |                                       a trial failed |  | timeout_ms, then a call
//        |               successes of trial calls               |  v
//        +---------------------------------------------------- HALF-OPEN
//
// `word` is the truth: state, since when, and the number of changes before, so that no value comes
// twice. State and number together are the epoch. The winner of the compare-and-swap of the word
// is the one who reports the change. There is no timer and no deadline to be lost: what has run
// out is computed from `since`.
//
// All other cells carry the epoch they belong to, and one of another epoch reads as empty. So a
// change of state needs no clearing up, and nobody can be killed halfway through one. Cells are
// changed by this rule: read the cell, then see that the word has not moved, then swap the cell. A
// process that slept through a change of state cannot disturb what has been counted since.
//
// Half-open, a permit is a cell with its deadline in it: whoever holds one and is killed loses it
// by time, and whoever reports too late finds another value there and leaves it alone.

#include "common/breaker.h"

#include <assert.h>
#include <stdbool.h>

// word:           number 22 | state 2 | since_ms 40     (40 bits of milliseconds: 34 years)
// streak, permit: epoch         24    | count or deadline_ms 40
// bucket:         number 10 | turn 22 | calls 16 | failures 16
enum { STATE_BITS = 2, TIME_BITS = 40, TURN_BITS = 22, COUNT_BITS = 16, COUNT_MAX = 0xffff };

#define NUMBER_MASK UINT32_C(0x3fffff)
#define BUCKET_NUMBER_MASK UINT32_C(0x3ff)
#define TURN_MASK UINT32_C(0x3fffff)
#define LOW_MASK ((UINT64_C(1) << TIME_BITS) - 1)

struct bucket {
    uint32_t tag; // number and turn
    uint32_t calls;
    uint32_t failures;
};

// --- packing ------------------------------------------------------------------------------------

static uint64_t pack(uint32_t epoch, uint64_t low)
{
    return (uint64_t)epoch << TIME_BITS | (low & LOW_MASK);
}

static uint32_t epoch_of(uint64_t cell)
{
    return (uint32_t)(cell >> TIME_BITS);
}

static uint64_t low_of(uint64_t cell)
{
    return cell & LOW_MASK;
}

static uint32_t number_of(uint64_t word)
{
    return epoch_of(word) >> STATE_BITS;
}

// The fourth value is nobody's; in memory that others write, it must not end up as an index.
static enum breaker_state state_of(uint64_t word)
{
    uint32_t state = epoch_of(word) & ((1 << STATE_BITS) - 1);
    return state <= BREAKER_OPEN ? (enum breaker_state)state : BREAKER_OPEN;
}

// Not below 0: the clock of another process may have been read a moment later than ours.
static uint64_t elapsed_ms(uint64_t word, uint64_t now_ms)
{
    return now_ms > low_of(word) ? now_ms - low_of(word) : 0;
}

static struct bucket unpack_bucket(uint64_t cell)
{
    return (struct bucket){(uint32_t)(cell >> 2 * COUNT_BITS),
                           (uint32_t)(cell >> COUNT_BITS) & COUNT_MAX, (uint32_t)cell & COUNT_MAX};
}

static uint64_t pack_bucket(struct bucket bucket)
{
    return (uint64_t)bucket.tag << 2 * COUNT_BITS | (uint64_t)bucket.calls << COUNT_BITS |
           bucket.failures;
}

// --- the word -----------------------------------------------------------------------------------

static bool is_current(const struct breaker *breaker, uint64_t word)
{
    return atomic_load(&breaker->word) == word;
}

// The only way the state changes. Whoever gets BREAKER_STAYS came too late.
static enum breaker_transition change_state(struct breaker *breaker, uint64_t word,
                                            enum breaker_state to, uint64_t now_ms)
{
    static const enum breaker_transition transitions[] = {
        [BREAKER_CLOSED] = BREAKER_CLOSES,
        [BREAKER_HALF_OPEN] = BREAKER_HALF_OPENS,
        [BREAKER_OPEN] = BREAKER_OPENS,
    };
    uint32_t number = (number_of(word) + 1) & NUMBER_MASK;
    uint64_t next = pack(number << STATE_BITS | to, now_ms);
    return atomic_compare_exchange_strong(&breaker->word, &word, next) ? transitions[to]
                                                                       : BREAKER_STAYS;
}

static enum breaker_transition force_state(struct breaker *breaker, enum breaker_state to,
                                           uint64_t now_ms)
{
    uint64_t word;
    enum breaker_transition transition;
    do {
        word = atomic_load(&breaker->word);
        transition = change_state(breaker, word, to, now_ms);
    } while (transition == BREAKER_STAYS);
    return state_of(word) == to ? BREAKER_STAYS : transition;
}

// --- the streak ---------------------------------------------------------------------------------

// One more in a row; returns how many that makes, 0 if the word has moved on.
static uint64_t extend_streak(struct breaker *breaker, uint64_t word)
{
    uint64_t cell = atomic_load(&breaker->streak), count;
    do {
        if (!is_current(breaker, word))
            return 0;
        count = epoch_of(cell) == epoch_of(word) ? low_of(cell) + 1 : 1;
    } while (!atomic_compare_exchange_weak(&breaker->streak, &cell, pack(epoch_of(word), count)));
    return count;
}

// Of two calls that end at the same time either may be the last: once is enough.
static void end_streak(struct breaker *breaker, uint64_t word)
{
    uint64_t cell = atomic_load(&breaker->streak);
    if (epoch_of(cell) == epoch_of(word) && low_of(cell) > 0)
        atomic_compare_exchange_strong(&breaker->streak, &cell, pack(epoch_of(word), 0));
}

// --- the window ---------------------------------------------------------------------------------

// Time in bucket lengths, from the beginning of the epoch.
static uint64_t turn_at(const struct breaker_policy *policy, uint64_t word, uint64_t now_ms)
{
    uint32_t bucket_ms = policy->window_ms / BREAKER_BUCKETS;
    assert(bucket_ms > 0);
    return elapsed_ms(word, now_ms) / bucket_ms;
}

static uint32_t bucket_tag(uint64_t word, uint64_t turn)
{
    return (number_of(word) & BUCKET_NUMBER_MASK) << TURN_BITS | ((uint32_t)turn & TURN_MASK);
}

static void count_in_window(struct breaker *breaker, uint64_t word, uint64_t turn, bool failed)
{
    _Atomic uint64_t *place = &breaker->window[turn % BREAKER_BUCKETS];
    uint64_t cell = atomic_load(place);
    struct bucket bucket;
    do {
        if (!is_current(breaker, word))
            return;
        bucket = unpack_bucket(cell);
        if (bucket.tag != bucket_tag(word, turn))
            bucket = (struct bucket){bucket_tag(word, turn), 0, 0};
        if (bucket.calls == COUNT_MAX) { // the share stays what it is
            bucket.calls /= 2;
            bucket.failures /= 2;
        }
        bucket.calls++;
        bucket.failures += failed;
    } while (!atomic_compare_exchange_weak(place, &cell, pack_bucket(bucket)));
}

static bool window_is_bad(const struct breaker *breaker, const struct breaker_policy *policy,
                          uint64_t word, uint64_t turn)
{
    uint32_t calls = 0, failures = 0;
    for (uint64_t back = 0; back < BREAKER_BUCKETS && back <= turn; back++) {
        uint64_t cell = atomic_load(&breaker->window[(turn - back) % BREAKER_BUCKETS]);
        struct bucket bucket = unpack_bucket(cell);
        if (bucket.tag != bucket_tag(word, turn - back))
            continue;
        calls += bucket.calls;
        failures += bucket.failures;
    }
    return policy->failure_rate > 0 && calls >= policy->volume_threshold &&
           failures >= policy->failure_rate * calls;
}

// --- permits ------------------------------------------------------------------------------------

static bool permit_is_free(uint64_t permit, uint64_t word, uint64_t now_ms)
{
    return epoch_of(permit) != epoch_of(word) || low_of(permit) <= now_ms;
}

// False if all are held, or if the word has moved on.
static bool take_permit(struct breaker *breaker, const struct breaker_policy *policy, uint64_t word,
                        uint64_t now_ms, struct breaker_call *call)
{
    uint64_t mine = pack(epoch_of(word), now_ms + policy->permit_ms);
    assert(policy->permits >= 1 && policy->permits <= BREAKER_PERMITS_MAX);
    for (uint32_t i = 0; i < policy->permits; i++) {
        uint64_t permit = atomic_load(&breaker->permits[i]);
        while (permit_is_free(permit, word, now_ms)) {
            if (!is_current(breaker, word))
                return false;
            if (!atomic_compare_exchange_strong(&breaker->permits[i], &permit, mine))
                continue;
            call->permit_index = i;
            call->permit = mine;
            return true;
        }
    }
    return false;
}

static void give_back_permit(struct breaker *breaker, const struct breaker_call *call)
{
    uint64_t permit = call->permit;
    atomic_compare_exchange_strong(&breaker->permits[call->permit_index], &permit, 0);
}

// --- calls --------------------------------------------------------------------------------------

static void give_answer(struct breaker *breaker, struct breaker_call *call, uint64_t word,
                        enum breaker_answer answer)
{
    call->answer = answer;
    call->epoch = epoch_of(word);
    if (answer == BREAKER_REJECTED)
        atomic_fetch_add(&breaker->rejected, 1);
}

enum breaker_transition breaker_allow(struct breaker *breaker, const struct breaker_policy *policy,
                                      uint64_t now_ms, struct breaker_call *call)
{
    enum breaker_transition transition = BREAKER_STAYS;
    *call = (struct breaker_call){0};
    for (;;) {
        uint64_t word = atomic_load(&breaker->word), open_ms = elapsed_ms(word, now_ms);
        switch (state_of(word)) {
        case BREAKER_CLOSED:
            give_answer(breaker, call, word, BREAKER_ALLOWED);
            return transition;
        case BREAKER_HALF_OPEN:
            if (take_permit(breaker, policy, word, now_ms, call)) {
                give_answer(breaker, call, word, BREAKER_ALLOWED_TRIAL);
                return transition;
            }
            if (!is_current(breaker, word))
                continue;
            break;
        case BREAKER_OPEN:
            // Not twice: only one change can be returned.
            if (open_ms >= policy->timeout_ms && transition == BREAKER_STAYS) {
                transition = change_state(breaker, word, BREAKER_HALF_OPEN, now_ms);
                continue;
            }
            if (open_ms < policy->timeout_ms)
                call->retry_ms = (uint32_t)(policy->timeout_ms - open_ms);
            break;
        }
        give_answer(breaker, call, word, BREAKER_REJECTED);
        return transition;
    }
}

static enum breaker_transition on_success(struct breaker *breaker,
                                          const struct breaker_policy *policy, uint64_t word,
                                          uint64_t now_ms)
{
    if (state_of(word) == BREAKER_CLOSED) {
        count_in_window(breaker, word, turn_at(policy, word, now_ms), false);
        end_streak(breaker, word);
        return BREAKER_STAYS;
    }
    uint64_t successes = extend_streak(breaker, word);
    if (successes == 0 || successes < policy->success_threshold)
        return BREAKER_STAYS;
    return change_state(breaker, word, BREAKER_CLOSED, now_ms);
}

static enum breaker_transition on_failure(struct breaker *breaker,
                                          const struct breaker_policy *policy, uint64_t word,
                                          uint64_t now_ms)
{
    if (state_of(word) == BREAKER_CLOSED) {
        uint64_t turn = turn_at(policy, word, now_ms);
        count_in_window(breaker, word, turn, true);
        uint64_t failures = extend_streak(breaker, word);
        bool streak_is_bad = policy->failure_threshold && failures >= policy->failure_threshold;
        if (!streak_is_bad && !window_is_bad(breaker, policy, word, turn))
            return BREAKER_STAYS;
    }
    return change_state(breaker, word, BREAKER_OPEN, now_ms);
}

enum breaker_transition breaker_on_result(struct breaker *breaker,
                                          const struct breaker_policy *policy,
                                          const struct breaker_call *call,
                                          enum breaker_result result, uint64_t now_ms)
{
    if (call->answer == BREAKER_REJECTED)
        return BREAKER_STAYS;
    if (call->answer == BREAKER_ALLOWED_TRIAL)
        give_back_permit(breaker, call);
    if (result == BREAKER_IGNORED)
        return BREAKER_STAYS;
    atomic_fetch_add(result == BREAKER_SUCCESS ? &breaker->successes : &breaker->failures, 1);
    uint64_t word = atomic_load(&breaker->word);
    if (epoch_of(word) != call->epoch)
        return BREAKER_STAYS;
    return result == BREAKER_SUCCESS ? on_success(breaker, policy, word, now_ms)
                                     : on_failure(breaker, policy, word, now_ms);
}

// --- the rest -----------------------------------------------------------------------------------

void breaker_init(struct breaker *breaker)
{
    *breaker = (struct breaker){0};
}

enum breaker_state breaker_state(const struct breaker *breaker, const struct breaker_policy *policy,
                                 uint64_t now_ms)
{
    uint64_t word = atomic_load(&breaker->word);
    if (state_of(word) == BREAKER_OPEN && elapsed_ms(word, now_ms) >= policy->timeout_ms)
        return BREAKER_HALF_OPEN;
    return state_of(word);
}

enum breaker_transition breaker_trip(struct breaker *breaker, uint64_t now_ms)
{
    return force_state(breaker, BREAKER_OPEN, now_ms);
}

enum breaker_transition breaker_reset(struct breaker *breaker, uint64_t now_ms)
{
    return force_state(breaker, BREAKER_CLOSED, now_ms);
}

struct breaker_stats breaker_stats(const struct breaker *breaker)
{
    struct breaker_stats stats = {.successes = atomic_load(&breaker->successes),
                                  .failures = atomic_load(&breaker->failures),
                                  .rejected = atomic_load(&breaker->rejected),
                                  .success_rate = 1,
                                  .epoch = number_of(atomic_load(&breaker->word))};
    stats.calls = stats.successes + stats.failures;
    if (stats.calls > 0)
        stats.success_rate = (double)stats.successes / (double)stats.calls;
    return stats;
}

const char *breaker_state_name(enum breaker_state state)
{
    static const char *const names[] = {
        [BREAKER_CLOSED] = "closed",
        [BREAKER_HALF_OPEN] = "half-open",
        [BREAKER_OPEN] = "open",
    };
    return names[state];
}
