// The last events of a home, in memory that outlives the supervisor: records of a fixed size,
// written in a circle by one process.
//
// A record carries its number, which is taken away before it is overwritten and set when it is
// whole: what a supervisor was writing when it was killed is left out by its successor, and nothing
// else.
#ifndef GW_SUPERVISOR_EVENT_RING_H
#define GW_SUPERVISOR_EVENT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/layout.h"
#include "common/proto.h"

enum { EVENT_RING_RECORDS = 1024, EVENT_WORD_SIZE = 32, EVENT_APP_SIZE = 72, EVENT_NO_ID = -1 };

#define EVENT_RING_MAGIC UINT64_C(0x31474e4952564547) // "GEVRING1"
#define EVENT_RING_VERSION LAYOUT_VERSION(1)

// Something that happened. The texts end with a NUL and may be shown as they are.
struct event {
    uint64_t wall_ms;
    int64_t id;                   // of the process in `gwctl list`; EVENT_NO_ID: of none
    char source[EVENT_WORD_SIZE]; // "process", "reload", "redis" ...
    char name[EVENT_WORD_SIZE];   // "ready", "failed", "close" ...
    char app[EVENT_APP_SIZE];     // "": of none
    char text[PROTO_EVENT_SIZE];
};

struct event_record {
    _Atomic uint64_t number; // of the event, from 1; 0: none is here
    struct event event;
};

struct event_ring {
    uint64_t magic;
    uint32_t version;
    uint32_t records;
    _Atomic uint64_t count; // of events so far
    struct event_record record[EVENT_RING_RECORDS];
};

// An empty ring in memory of zeros.
void event_ring_format(struct event_ring *ring);

// Makes ready what an earlier supervisor has written. -1: it is of another version.
int event_ring_recover(struct event_ring *ring, struct err *err) GW_MUST_USE;

// Copies the event.
void event_ring_append(struct event_ring *ring, const struct event *event);

// The number of the last event; 0: there was none.
uint64_t event_ring_last(const struct event_ring *ring);

// Copies the event of this number; false: it is not there (any more).
bool event_ring_get(const struct event_ring *ring, uint64_t number, struct event *event);

#endif
