// The last hour second by second and the last day minute by minute, of at most 64 series. In memory
// that outlives metricsd; pure over it, time is a parameter (seconds since 1970).
//
// A row holds all series of one second or minute and says which one that is: a row that was not
// written, or not to its end, is a gap without anybody having to write one.
#ifndef GW_METRICSD_HISTORY_H
#define GW_METRICSD_HISTORY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HISTORY_SERIES = 64,
    HISTORY_SECONDS = 3600,
    HISTORY_MINUTES = 24 * 60,
    HISTORY_NAME_SIZE = 32,
    HISTORY_LABEL_SIZE = 16,
    HISTORY_VALUE_SIZE = 80,
};

struct history_key {
    char name[HISTORY_NAME_SIZE];
    char label[HISTORY_LABEL_SIZE]; // its name and its value; "": none
    char value[HISTORY_VALUE_SIZE];
};

struct history_series {
    _Atomic uint64_t seen_s; // when it last had a value; 0: a free place
    struct history_key key;
};

struct history_row {
    _Atomic uint64_t time;       // in seconds, or minutes, since 1970; 0: none
    float value[HISTORY_SERIES]; // NAN: none
};

// Zero-initialise.
struct history {
    uint64_t folded_minute; // the last one that was made of seconds
    struct history_series series[HISTORY_SERIES];
    struct history_row second[HISTORY_SECONDS];
    struct history_row minute[HISTORY_MINUTES];
};

// Writing a second: begin, any number of puts, end, which also makes the minutes that are over.
void history_begin(struct history *history, uint64_t now_s);
// label and value: NULL for none; texts that are too long are cut. A series that is one too many is
// left out; one that had no value for a day makes room.
void history_put(struct history *history, uint64_t now_s, const char *name, const char *label,
                 const char *value, double number);
void history_end(struct history *history, uint64_t now_s);

// A series that is in use, or NULL.
const struct history_key *history_key(const struct history *history, size_t series);

// NAN: none.
float history_at_second(const struct history *history, size_t series, uint64_t second);
float history_at_minute(const struct history *history, size_t series, uint64_t minute);

#endif
