// The gateway says HIT, MISS, STALE or BYPASS. A MISS is stored or not: the next request tells.
//
// That one may come before the answer has been stored, when the machine is busy, and is a MISS too;
// so only several in a row, or an answer that says why, mean that it is not kept.

#include "warm_verdict.h"

#include <string.h>

enum { MISSES_MAX = 3 };

// NULL: nothing in the answer forbids it.
static const char *find_obstacle(const struct warm_answer *answer)
{
    if (answer->sets_cookie)
        return "Set-Cookie";
    if (answer->vary && strchr(answer->vary, '*'))
        return "Vary: *";
    if (answer->cache_control && strcasestr(answer->cache_control, "no-store"))
        return "Cache-Control: no-store";
    if (answer->cache_control && strcasestr(answer->cache_control, "private"))
        return "Cache-Control: private";
    return NULL;
}

static enum warm_verdict judge_miss(const struct warm_answer *answer, unsigned asked,
                                    struct buf *reason)
{
    const char *obstacle = find_obstacle(answer);
    // An obstacle may be one that the route ignores.
    if (asked == 0 || (!obstacle && asked + 1 < MISSES_MAX))
        return WARM_ASK_AGAIN;
    buf_append_text(reason, obstacle ? obstacle : "a miss each time");
    return WARM_NOT_CACHEABLE;
}

enum warm_verdict warm_judge(const struct warm_answer *answer, unsigned asked, struct buf *reason)
{
    if (answer->status < 200 || answer->status > 299) {
        buf_printf(reason, "status %d", answer->status);
        return answer->status >= 500 ? WARM_FAILED : WARM_NOT_CACHEABLE;
    }
    if (!answer->x_cache) {
        buf_append_text(reason, "no cache on its route");
        return WARM_NOT_CACHEABLE;
    }
    if (strcmp(answer->x_cache, "HIT") == 0)
        return asked == 0 ? WARM_THERE : WARM_STORED;
    if (strcmp(answer->x_cache, "STALE") == 0) {
        buf_append_text(reason, "only a stale answer: the upstream fails");
        return WARM_FAILED;
    }
    if (strcmp(answer->x_cache, "MISS") == 0)
        return judge_miss(answer, asked, reason);
    buf_append_text(reason, "the cache is not asked: ");
    buf_append_text(reason, answer->x_cache);
    return WARM_NOT_CACHEABLE;
}
