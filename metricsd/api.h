// What metricsd answers to which path.
#ifndef GW_METRICSD_API_H
#define GW_METRICSD_API_H

#include "allowance.h"
#include "answer.h"

struct facts;

struct api {
    struct facts *facts;        // borrowed
    struct allowance allowance; // of all requests together
};

void api_init(struct api *api, struct facts *facts, uint64_t now_ms);

// Fills an answer that is all zero. now_ms: monotonic.
void api_answer(struct api *api, const struct request *request, uint64_t now_ms,
                struct answer *answer);

#endif
