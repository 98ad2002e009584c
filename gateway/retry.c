// The decision about another try.
//
// A connection that cannot be made has carried nothing, so any request may go elsewhere, until
// every endpoint was tried or the time is over (many processes may be dead at once). A pooled
// connection that ends without an answer was most likely closed by the peer for being idle while we
// wrote; whether the request was seen is unknown, so only an idempotent one is sent again, once,
// and on a fresh connection, where the same excuse does not hold. Once anything was answered, and
// be it an interim answer, the request was seen: that is a RETRY_BAD_ANSWER.
#include "retry.h"

#include <string.h>

enum retry_action retry_decide(enum retry_failure failure, const struct retry_try *facts)
{
    switch (failure) {
    case RETRY_CONNECT_FAILED:
    case RETRY_CONNECT_TIMEOUT:
        return facts->tries < RETRY_MAX_TRIES && facts->has_time ? RETRY_NEXT_ENDPOINT
                                                                 : RETRY_GIVE_UP;
    case RETRY_CLOSED_UNANSWERED:
        return facts->reused && facts->is_idempotent && facts->sent < RETRY_MAX_SENT
                   ? RETRY_FRESH_CONNECTION
                   : RETRY_GIVE_UP;
    case RETRY_FIRST_BYTE_TIMEOUT:
    case RETRY_BAD_ANSWER:
        break;
    }
    return RETRY_GIVE_UP;
}

int retry_status(enum retry_failure failure)
{
    return failure == RETRY_CONNECT_TIMEOUT || failure == RETRY_FIRST_BYTE_TIMEOUT ? 504 : 502;
}

bool retry_is_idempotent(struct span method)
{
    static const struct span methods[] = {{"GET", 3},    {"HEAD", 4},    {"PUT", 3},
                                          {"DELETE", 6}, {"OPTIONS", 7}, {"TRACE", 5}};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); ++i)
        if (method.length == methods[i].length &&
            memcmp(method.bytes, methods[i].bytes, method.length) == 0)
            return true;
    return false;
}
