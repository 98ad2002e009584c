// What an exchange notes of its times, and counts of its tries (metrics.h). For exchange.c.
#ifndef GW_GATEWAY_EXCHANGE_COUNT_H
#define GW_GATEWAY_EXCHANGE_COUNT_H

#include <stdbool.h>

#include "common/metrics_page.h"
#include "retry.h"

struct exchange;

// It begins: with the request's head, which a body may have followed for long.
void exchange_count_begun(struct exchange *exchange);

// A try at an endpoint begins; the request was sent in it.
void exchange_count_try(struct exchange *exchange);
void exchange_count_sent(struct exchange *exchange);

// The try has failed / is over, while the endpoint is still there.
void exchange_count_failure(struct exchange *exchange, enum metric_failure failure);
void exchange_count_over(struct exchange *exchange);

// The try was none: a pooled connection that the peer had closed, which is everyday life.
void exchange_count_nothing(struct exchange *exchange);

// What a failed try is counted as. has_ended: the connection has.
enum metric_failure exchange_count_reason(enum retry_failure failure, bool has_ended);

#endif
