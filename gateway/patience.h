// How long we wait for a client that has to send something: its next request, the rest of a head,
// more of a body. Pure; the time is a parameter.
#ifndef GW_GATEWAY_PATIENCE_H
#define GW_GATEWAY_PATIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "span.h"

enum patience_phase {
    PATIENCE_FRESH, // the connection has sent nothing yet
    PATIENCE_IDLE,  // between two requests
    PATIENCE_HEAD,
    PATIENCE_BODY,
    PATIENCE_OVER, // it was told so
};

struct patience_limits {
    uint64_t idle_ms; // between two requests
    uint64_t head_ms; // from the first byte of a head to its end, and to the first byte of all
    uint64_t body_ms; // between two pieces of a body
};

enum patience_verdict {
    PATIENCE_WAIT,
    PATIENCE_CLOSE,   // nothing was asked: the connection ends without a word
    PATIENCE_TIMEOUT, // 408, and the connection ends; said once
};

// Fields are patience.c's own, but for reading since_ms while nothing was received.
struct patience {
    enum patience_phase phase;
    uint64_t since_ms; // of the phase, or of the last piece of the body
    size_t seen;       // of the head: up to here its end is not; of a body: received then
};

// From now on the client has to send a request; is_fresh: its first one.
void patience_begin(struct patience *patience, bool is_fresh, uint64_t now_ms);

// Looks at what was received and not answered. Call it several times within the shortest limit: a
// change counts from the look that saw it.
enum patience_verdict patience_look(struct patience *patience, const struct patience_limits *limits,
                                    struct span input, uint64_t now_ms);

// Was PATIENCE_TIMEOUT said? A request that became whole in the same moment comes too late.
bool patience_is_over(const struct patience *patience);

// How often to look so that no limit is exceeded by more than a quarter, or by a second.
uint64_t patience_interval_ms(const struct patience_limits *limits);

#endif
