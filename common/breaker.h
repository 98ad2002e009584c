// A circuit breaker: stops calling what keeps failing, and tries it again with a few calls.
//
// Pure: the caller owns the clock (clock_mono_ms), tells what became of a call and logs what has
// changed. One process may keep a struct breaker anywhere. Several processes share one in memory
// they all map: every change is one atomic operation, nothing in it is a pointer, and nothing that
// a killed process held stays held. Zeroed memory is a closed breaker.
//
// What a failure is, the caller decides: no connection, a timeout, 502, 503, 504, or an answer
// slower than it likes. An answer 4xx is a success (it answers). A call whose end says nothing
// about the other side (the client went away) is ignored.
#ifndef GW_COMMON_BREAKER_H
#define GW_COMMON_BREAKER_H

#include <stdatomic.h>
#include <stdint.h>

enum { BREAKER_BUCKETS = 10, BREAKER_PERMITS_MAX = 16 };

// The numbers are those of the metric.
enum breaker_state { BREAKER_CLOSED, BREAKER_HALF_OPEN, BREAKER_OPEN };

// What a call of this header has changed. However many processes share a breaker, one of them is
// told of each change: the one that logs it.
enum breaker_transition { BREAKER_STAYS, BREAKER_CLOSES, BREAKER_HALF_OPENS, BREAKER_OPENS };

enum breaker_answer {
    BREAKER_ALLOWED,
    BREAKER_ALLOWED_TRIAL, // holds one of the permits until its result is reported
    BREAKER_REJECTED,
};

enum breaker_result { BREAKER_SUCCESS, BREAKER_FAILURE, BREAKER_IGNORED };

// Written by whoever owns it; may be changed at any time, also while the breaker is open.
struct breaker_policy {
    uint32_t failure_threshold; // so many failures with no success between them open; 0: never
    double failure_rate;        // or this share of the window's calls, 0..1; 0: never,
    uint32_t volume_threshold;  // once the window has so many calls; at most 30000
    uint32_t window_ms;         // at least BREAKER_BUCKETS
    uint32_t timeout_ms;        // open for so long, then trial calls
    uint32_t success_threshold; // so many successes of trial calls close; one failure opens
    uint32_t permits;           // trial calls at a time, 1..BREAKER_PERMITS_MAX
    uint32_t permit_ms;         // a permit not given back runs out; at least 1, the longest call
};

#define BREAKER_POLICY_DEFAULT                                                                     \
    {                                                                                              \
        .failure_threshold = 5, .failure_rate = 0.5, .volume_threshold = 10, .window_ms = 10000,   \
        .timeout_ms = 60000, .success_threshold = 2, .permits = 1, .permit_ms = 60000              \
    }

// Public to be embedded; the fields are breaker.c's.
struct breaker {
    _Atomic uint64_t word;   // state, epoch, since when
    _Atomic uint64_t streak; // failures (closed) or successes (half-open) in a row
    _Atomic uint64_t permits[BREAKER_PERMITS_MAX];
    _Atomic uint64_t window[BREAKER_BUCKETS];
    _Atomic uint64_t successes;
    _Atomic uint64_t failures;
    _Atomic uint64_t rejected;
};

// One call, from breaker_allow to breaker_on_result. The caller keeps it and reads the first two.
struct breaker_call {
    enum breaker_answer answer;
    uint32_t retry_ms; // if rejected: not before; 0: when one of the trial calls has ended
    uint32_t epoch;
    uint32_t permit_index;
    uint64_t permit;
};

struct breaker_stats {
    uint64_t calls; // that ended in success or failure
    uint64_t successes;
    uint64_t failures;
    uint64_t rejected;
    double success_rate; // 1 before the first call
    uint32_t epoch;      // grows by one with each transition, trip and reset; 22 bits
};

// Closed, nothing counted. Not while others use it: for those, breaker_reset.
void breaker_init(struct breaker *breaker);

// May a call be made now? Fills in *call. An allowed call must be reported, however it ends.
enum breaker_transition breaker_allow(struct breaker *breaker, const struct breaker_policy *policy,
                                      uint64_t now_ms, struct breaker_call *call);

// How an allowed call ended; once for each. Nothing happens for a rejected one. The result of a
// call that was begun before the last transition counts in the statistics only. A trial call that
// outlives its permit counts as long as no transition has come between.
enum breaker_transition breaker_on_result(struct breaker *breaker,
                                          const struct breaker_policy *policy,
                                          const struct breaker_call *call,
                                          enum breaker_result result, uint64_t now_ms);

// The state a call would meet now: half-open from the end of the timeout on, also when no call has
// come since.
enum breaker_state breaker_state(const struct breaker *breaker, const struct breaker_policy *policy,
                                 uint64_t now_ms);

// By hand: open for timeout_ms from now, or closed with nothing counted but the statistics.
enum breaker_transition breaker_trip(struct breaker *breaker, uint64_t now_ms);
enum breaker_transition breaker_reset(struct breaker *breaker, uint64_t now_ms);

// Since breaker_init. The numbers may be of slightly different moments.
struct breaker_stats breaker_stats(const struct breaker *breaker);

// "closed", "half-open", "open".
const char *breaker_state_name(enum breaker_state state);

#endif
