// Who answers which path. All requests share one allowance: whoever may come here at all (the
// gateway's workers see to that) can still ask too often.
#include "api.h"

enum { RATE = 20, BURST = 40 }; // requests a second

void api_init(struct api *api, uint64_t now_ms)
{
    allowance_init(&api->allowance, RATE, BURST, now_ms);
}

void api_answer(struct api *api, const struct request *request, uint64_t now_ms,
                struct answer *answer)
{
    (void)request;
    if (allowance_take(&api->allowance, now_ms)) {
        answer_problem(answer, 404);
        return;
    }
    answer_problem(answer, 429);
    answer->retry_after_s = allowance_retry_after_s(&api->allowance);
}
