// Times in microseconds; where two moments are one, the clock is looked at once.
//
// Invariant: sent_us != 0 exactly from a request that was sent to its try being over, so that a try
// is counted once.
#include "exchange_count.h"

#include "common/clock.h"
#include "endpoints.h"
#include "exchange.h"
#include "server.h"

static int64_t us_of(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

// By libh2o's clock, which is one for people: it may jump.
static uint64_t time_of_body_us(const h2o_req_t *req)
{
    int64_t since_us = us_of(&req->timestamps.request_body_begin_at);
    int64_t time_us = us_of(&req->processed_at.at) - since_us;
    return since_us != 0 && time_us > 0 ? (uint64_t)time_us : 0;
}

void exchange_count_begun(struct exchange *exchange)
{
    exchange->begun_us = clock_mono_us() - time_of_body_us(exchange->req);
}

void exchange_count_try(struct exchange *exchange)
{
    struct metrics *metrics = &exchange->server->metrics;
    if (exchange->tries > 1)
        metrics_count_retry(metrics, exchange->upstream->index);
    exchange->endpoint_text = metrics_endpoint_text(metrics, &exchange->endpoint->metrics);
}

// Most requests are sent on at once: they need no look at the clock of their own.
void exchange_count_sent(struct exchange *exchange)
{
    bool is_at_once = exchange->state == EXCHANGE_NEW && exchange->req->entity.base == NULL;
    exchange->sent_us = is_at_once ? exchange->begun_us : clock_mono_us();
    exchange->answered = 0;
}

void exchange_count_failure(struct exchange *exchange, enum metric_failure failure)
{
    metrics_count_failure(&exchange->server->metrics, exchange->upstream->index,
                          &exchange->endpoint->metrics, failure);
}

void exchange_count_over(struct exchange *exchange)
{
    struct metrics *metrics = &exchange->server->metrics;
    if (exchange->sent_us == 0)
        return;
    metrics_count_try_time(metrics, exchange->upstream->index, clock_mono_us() - exchange->sent_us);
    if (exchange->answered != 0)
        metrics_count_answer(metrics, exchange->upstream->index, &exchange->endpoint->metrics,
                             exchange->answered);
    exchange->sent_us = 0;
}

void exchange_count_nothing(struct exchange *exchange)
{
    exchange->sent_us = 0;
}

enum metric_failure exchange_count_reason(enum retry_failure failure, bool has_ended)
{
    switch (failure) {
    case RETRY_CONNECT_FAILED:
        return FAILURE_CONNECT;
    case RETRY_CONNECT_TIMEOUT:
        return FAILURE_CONNECT_TIMEOUT;
    case RETRY_CLOSED_UNANSWERED:
        return FAILURE_CLOSED;
    case RETRY_FIRST_BYTE_TIMEOUT:
        return FAILURE_TIMEOUT;
    case RETRY_BAD_ANSWER:
        break;
    }
    return has_ended ? FAILURE_CLOSED : FAILURE_BAD_ANSWER;
}
