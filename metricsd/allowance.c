// Thousandths of a token come at `rate` a millisecond, so no fraction is ever lost.
#include "allowance.h"

enum { TOKEN = 1000 };

void allowance_init(struct allowance *allowance, uint32_t rate, uint32_t burst, uint64_t now_ms)
{
    *allowance = (struct allowance){rate, burst, (uint64_t)burst * TOKEN, now_ms};
}

static void refill(struct allowance *allowance, uint64_t now_ms)
{
    uint64_t full = (uint64_t)allowance->burst * TOKEN;
    uint64_t elapsed_ms = now_ms > allowance->since_ms ? now_ms - allowance->since_ms : 0;
    allowance->since_ms += elapsed_ms;
    // Whoever was away for years has a full bucket, not an overflow.
    if (elapsed_ms >= full)
        allowance->thousandths = full;
    else
        allowance->thousandths += elapsed_ms * allowance->rate;
    if (allowance->thousandths > full)
        allowance->thousandths = full;
}

bool allowance_take(struct allowance *allowance, uint64_t now_ms)
{
    refill(allowance, now_ms);
    if (allowance->thousandths < TOKEN)
        return false;
    allowance->thousandths -= TOKEN;
    return true;
}

unsigned allowance_retry_after_s(const struct allowance *allowance)
{
    if (allowance->thousandths >= TOKEN)
        return 1;
    uint64_t wait_ms = (TOKEN - allowance->thousandths + allowance->rate - 1) / allowance->rate;
    return (unsigned)((wait_ms + 999) / 1000);
}
