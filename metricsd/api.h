// What metricsd answers to which path.
#ifndef GW_METRICSD_API_H
#define GW_METRICSD_API_H

#include "allowance.h"
#include "answer.h"
#include "views.h"

// Somebody has reset the numbers; `by` is whom the gateway says it was.
typedef void api_reset(void *context, const char *by);

struct api {
    struct facts *facts;        // borrowed
    struct allowance allowance; // of all requests together
    api_reset *on_reset;
    void *context;
};

void api_init(struct api *api, struct facts *facts, uint64_t now_ms, api_reset *on_reset,
              void *context);

// Fills an answer that is all zero.
void api_answer(struct api *api, const struct request *request, struct moment now,
                struct answer *answer);

#endif
