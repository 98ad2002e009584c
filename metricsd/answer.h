// What is asked and answered, without libh2o: the views are tested without a socket.
#ifndef GW_METRICSD_ANSWER_H
#define GW_METRICSD_ANSWER_H

#include "common/buf.h"

// Texts are the request's; an absent field or query is "".
struct request {
    const char *method;
    const char *path;  // without its query
    const char *query; // without the '?'
    const char *accept;
    const char *accept_encoding;
    const char *forwarded_for;
};

// Zero-initialise. What is NULL or 0 is not sent; the body is whoever's who has asked.
struct answer {
    int status;
    const char *reason;
    const char *content_type;
    const char *content_encoding;
    const char *vary;
    const char *allow;      // of a 405
    unsigned retry_after_s; // of a 429
    struct buf body;
};

// A problem+json body (RFC 9457) for one of the statuses that metricsd has: 400, 404, 405, 429.
void answer_problem(struct answer *answer, int status);

#endif
