// What metricsd answers to which path.
#ifndef GW_METRICSD_API_H
#define GW_METRICSD_API_H

#include "allowance.h"
#include "answer.h"
#include "views.h"

enum { API_ASKER_SIZE = 240 };

// Somebody has reset the numbers. `by` is safe to be shown: the address that asked, and behind it,
// in parentheses, for whom it said that it does, as "10.0.0.2 (X-Forwarded-For: 203.0.113.9)". Cut.
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
