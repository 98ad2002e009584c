// What metricsd does by itself: it looks at the columns once a second, and at the processes one
// after the other.
#ifndef GW_METRICSD_CLOCKWORK_H
#define GW_METRICSD_CLOCKWORK_H

#include <uv.h>

#include "facts.h"
#include "recorder.h"

struct clockwork {
    struct facts *facts;
    struct recorder recorder;
    uv_timer_t second, sample;
};

// Borrows facts. It begins at once.
void clockwork_start(struct clockwork *clockwork, uv_loop_t *loop, struct facts *facts);

// There are new processes: they are not kept waiting.
void clockwork_sample_now(struct clockwork *clockwork);

// The timers close with the next turn of the loop.
void clockwork_stop(struct clockwork *clockwork);

#endif
