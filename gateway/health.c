// The health endpoints. Live: this process answers. Ready: it may get traffic, which it may not
// while an upstream has nobody to answer, or while it drains. Every reason is in the document, by
// upstream; nothing in it is an address.
#include "health.h"

#include <string.h>

#include "common/clock.h"
#include "common/gateway_config.h"
#include "common/json.h"
#include "endpoints.h"
#include "exchange.h"
#include "server.h"

static bool is(struct span text, const char *literal)
{
    return text.length == strlen(literal) && memcmp(text.bytes, literal, text.length) == 0;
}

static void add_check(struct json_object *checks, const char *name, bool healthy,
                      const char *message)
{
    struct json_object *check = json_object_new_object();
    json_object_object_add(check, "healthy", json_object_new_boolean(healthy));
    json_object_object_add(check, "message", json_object_new_string(message));
    json_object_object_add(checks, name, check);
}

static bool add_upstream(struct json_object *checks, const struct upstream *upstream)
{
    char message[64];
    snprintf(message, sizeof(message), "%zu endpoint%s", upstream->count,
             upstream->count == 1 ? "" : "s");
    add_check(checks, upstream->config->name, upstream->count > 0,
              upstream->count > 0 ? message : "no endpoint");
    return upstream->count > 0;
}

static void send_document(struct exchange *exchange, struct json_object *document, bool healthy)
{
    char now[CLOCK_ISO_SIZE];
    clock_format_iso(clock_wall_ms(), now);
    json_object_object_add(document, "timestamp", json_object_new_string(now));
    const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN |
                                                                    JSON_C_TO_STRING_NOSLASHESCAPE);
    struct span body = {text, strlen(text)};
    exchange_reply_json(exchange, healthy ? 200 : 503, healthy ? "OK" : "Service Unavailable",
                        body);
    json_object_put(document);
}

static void answer_live(struct exchange *exchange)
{
    struct json_object *document = json_object_new_object();
    json_object_object_add(document, "status", json_object_new_string("alive"));
    send_document(exchange, document, true);
}

static void answer_ready(struct server *server, struct exchange *exchange)
{
    struct json_object *document = json_object_new_object();
    struct json_object *checks = json_object_new_object();
    bool ready = !server->draining;
    for (size_t i = 0; i < server->upstreams.count; ++i)
        if (!add_upstream(checks, &server->upstreams.items[i]))
            ready = false;
    if (server->draining)
        add_check(checks, "gateway", false, "draining");
    json_object_object_add(document, "status",
                           json_object_new_string(ready ? "ready" : "not ready"));
    json_object_object_add(document, "checks", checks);
    send_document(exchange, document, ready);
}

bool health_answer(struct server *server, struct exchange *exchange, struct span path,
                   struct span method)
{
    static const struct field allow = {{"allow", 5}, {"GET, HEAD", 9}};
    bool live = is(path, "/health/live");
    if (!live && !is(path, "/health/ready"))
        return false;
    exchange->counted_as = METRICS_HEALTH;
    if (!is(method, "GET") && !is(method, "HEAD"))
        exchange_reply_problem(exchange, 405, &allow);
    else if (live)
        answer_live(exchange);
    else
        answer_ready(server, exchange);
    return true;
}
