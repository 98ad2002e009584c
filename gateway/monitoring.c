// Requests go there as any other goes to its upstream, but for one thing: connections are not kept,
// since the pool looks after those of the configuration's upstreams only. Not its job: who may ask
// (monitoring_access.c), and what is answered (metricsd).
#include "monitoring.h"

#include <stdlib.h>

#include "clients.h"
#include "common/mem.h"
#include "exchange.h"
#include "metrics.h"
#include "monitoring_access.h"
#include "proxy.h"
#include "request_check.h"
#include "server.h"

enum { CONNECT_MS = 1000, FIRST_BYTE_MS = 5000 };

int monitoring_open(struct monitoring *monitoring, const struct upstreams *upstreams,
                    const char *socket_path, struct err *err)
{
    static char name[] = "metricsd";
    monitoring->upstreams = upstreams;
    monitoring->address = mem_printf("unix:%s", socket_path);
    monitoring->config =
        (struct upstream_config){.name = name,
                                 .servers = {.items = &monitoring->address, .count = 1},
                                 .connect_timeout_ms = CONNECT_MS,
                                 .first_byte_timeout_ms = FIRST_BYTE_MS,
                                 .read_timeout_ms = FIRST_BYTE_MS};
    if (upstream_open(&monitoring->upstream, &monitoring->config, UPSTREAM_OWN, err) == 0)
        return 0;
    monitoring_close(monitoring);
    return -1;
}

void monitoring_close(struct monitoring *monitoring)
{
    if (monitoring->upstreams != NULL)
        upstream_close(&monitoring->upstream, monitoring->upstreams);
    free(monitoring->address);
    *monitoring = (struct monitoring){.upstreams = NULL};
}

static void refuse(struct exchange *exchange, enum monitoring_verdict verdict, struct span path)
{
    static const struct field challenge = {{"www-authenticate", 16}, {"Bearer", 6}};
    struct field allow = {SPAN("allow"), monitoring_methods(path)};
    switch (verdict) {
    case MONITORING_NEEDS_TOKEN:
        exchange_reply_problem(exchange, 401, &challenge);
        break;
    case MONITORING_FORBIDDEN:
        exchange_reply_problem(exchange, 403, NULL);
        break;
    case MONITORING_MISDIRECTED:
        exchange_reply_problem(exchange, 421, NULL);
        break;
    case MONITORING_NO_METHOD:
        exchange_reply_problem(exchange, 405, &allow);
        break;
    case MONITORING_ALLOWED:
        break;
    }
}

static void ask(struct exchange *exchange, const struct request_facts *facts, struct span path)
{
    static const struct field retry_after = {{"retry-after", 11}, {"1", 1}};
    static const struct route_config route = {.no_cache = true};
    struct upstream *upstream = &exchange->server->monitoring.upstream;
    if (upstream->count == 0) {
        exchange_reply_problem(exchange, 503, &retry_after);
        return;
    }
    exchange->route = &route;
    if (proxy_prepare(exchange, facts, upstream, path))
        exchange_fetch(exchange);
}

bool monitoring_answer(struct exchange *exchange, const struct request_facts *facts,
                       struct span path)
{
    if (!monitoring_is_path(path))
        return false;
    struct monitoring_request request = {.peer = client_peer(exchange->client),
                                         .host = facts->authority,
                                         .is_http_1_0 = facts->version_minor == 0,
                                         .path = path,
                                         .method = facts->method,
                                         .fields = facts->fields,
                                         .field_count = facts->field_count};
    const char *token_sha256 = exchange->server->config->monitoring.token_sha256;
    enum monitoring_verdict verdict = monitoring_decide(token_sha256, &request);
    exchange->counted_as = METRICS_MONITORING;
    if (verdict == MONITORING_ALLOWED)
        ask(exchange, facts, path);
    else
        refuse(exchange, verdict, path);
    return true;
}
