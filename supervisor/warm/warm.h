// Requests URLs through the gateway, a few at a time, until each is known to be in its cache or
// not. Blocking.
#ifndef GW_CLI_WARM_H
#define GW_CLI_WARM_H

#include <stddef.h>

#include "common/err.h"
#include "warm_verdict.h"

// Comes once for each URL, in the order in which they are done. `reason` is "" where there is none.
typedef void warm_result(void *context, const char *url, enum warm_verdict verdict,
                         const char *reason);

// All borrowed.
struct warm_work {
    const char *connect_to; // of a warm_target
    char **urls;
    size_t count;
    warm_result *on_result;
    void *context;
};

// -1 with err when nothing can be requested at all; else each URL has its result.
int warm_run(const struct warm_work *work, struct err *err) GW_MUST_USE;

#endif
