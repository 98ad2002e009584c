// The error answers of our own: application/problem+json (RFC 9457). Fixed sentences only: what
// went wrong inside is for the log.
#ifndef GW_GATEWAY_PROBLEM_H
#define GW_GATEWAY_PROBLEM_H

#include "span.h"

#define PROBLEM_CONTENT_TYPE "application/problem+json"

struct problem {
    int status;
    const char *title; // the reason phrase
    struct span body;
};

// The answer for a status; when it is none of ours the one for its class (RFC 9110 §15): 400 for
// 4xx, and 500 for everything else. Constants.
const struct problem *problem_get(int status);

#endif
