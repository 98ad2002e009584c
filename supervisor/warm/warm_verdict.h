// What an answer of the gateway says about whether it is in the cache now.
#ifndef GW_CLI_WARM_VERDICT_H
#define GW_CLI_WARM_VERDICT_H

#include <stdbool.h>

#include "common/buf.h"

// Fields that it does not have are NULL.
struct warm_answer {
    int status;
    const char *x_cache;
    const char *cache_control;
    const char *vary;
    bool sets_cookie;
};

enum warm_verdict {
    WARM_STORED, // it was not there, and is now
    WARM_THERE,
    WARM_NOT_CACHEABLE,
    WARM_FAILED,
    WARM_VERDICTS,
    WARM_ASK_AGAIN, // only the next answer tells
};

// `asked` is how often it was asked for before. Appends why to `reason` for WARM_NOT_CACHEABLE and
// WARM_FAILED; nothing else.
enum warm_verdict warm_judge(const struct warm_answer *answer, unsigned asked, struct buf *reason);

#endif
