// What to do when a try to get an answer from an upstream failed. Pure.
#ifndef GW_GATEWAY_RETRY_H
#define GW_GATEWAY_RETRY_H

#include <stdbool.h>

#include "span.h"

enum {
    RETRY_MAX_TRIES = 16, // of any kind: endpoints that cannot be connected to are passed over
    RETRY_MAX_SENT = 3    // in which the request was sent
};

// How a try failed. In the first two nothing of the request has reached anybody.
enum retry_failure {
    RETRY_CONNECT_FAILED,
    RETRY_CONNECT_TIMEOUT,
    RETRY_CLOSED_UNANSWERED, // the connection ended before the first byte of an answer
    RETRY_FIRST_BYTE_TIMEOUT,
    RETRY_BAD_ANSWER, // not HTTP, or its head never ended
};

enum retry_action {
    RETRY_NEXT_ENDPOINT,    // when there is one that was not tried; otherwise retry_status
    RETRY_FRESH_CONNECTION, // the same endpoint, not from the pool
    RETRY_GIVE_UP,          // answer retry_status
};

// The facts about the try that failed.
struct retry_try {
    unsigned tries;     // so far, this one included
    unsigned sent;      // of them, those in which the request was sent
    bool has_time;      // to connect, if it was not sent
    bool reused;        // its connection came from the pool
    bool is_idempotent; // the request's method
};

enum retry_action retry_decide(enum retry_failure failure, const struct retry_try *facts);

// The status of our answer when the last try failed so: 502 or 504.
int retry_status(enum retry_failure failure);

// GET, HEAD, OPTIONS, PUT, DELETE, TRACE: doing it twice is as good as once (RFC 9110 §9.2.2).
bool retry_is_idempotent(struct span method);

#endif
