// The key is that of a GET with the fields of the PURGE, but for the Authorization that carried the
// token: it says who purges, not whose answer. The variants of Vary are found through the mark
// under that key alone (stored.h), so they go with it.
//
// cachesvc's reply comes when the segment is changed, and all workers read the segment: after our
// answer none of them gives what was there before.
#include "purge.h"

#include <stdio.h>
#include <string.h>

#include "cached.h"
#include "common/clock.h"
#include "common/gateway_config.h"
#include "exchange.h"
#include "grammar.h"
#include "monitoring_token.h"
#include "purge_mark.h"
#include "request_check.h"
#include "server.h"

enum { PURGE_REPLY_MS = 1000 };

// In the request's memory.
struct purge {
    struct exchange *exchange;
    struct cache_call *call;
};

static void on_disposed(void *memory)
{
    struct purge *purge = memory;
    if (purge->call != NULL)
        cache_call_cancel(purge->call);
}

static void refuse(struct exchange *exchange)
{
    static const struct field retry_after = {{"retry-after", 11}, {"1", 1}};
    exchange_reply_problem(exchange, 503, &retry_after);
}

static void on_reply(void *context, bool replied, int64_t number)
{
    struct purge *purge = context;
    char text[24];
    purge->call = NULL;
    if (purge->exchange->state != EXCHANGE_PURGE)
        return; // it was answered: the worker ends, or the client has gone
    int length = snprintf(text, sizeof(text), "{\"purged\":%d}\n", number > 0);
    if (replied)
        exchange_reply_json(purge->exchange, 200, SPAN("application/json"),
                            (struct span){text, (size_t)length});
    else
        refuse(purge->exchange);
}

static void write_key(const struct cache_config *config, const struct request_facts *facts,
                      struct span path, struct buf *key)
{
    struct request_facts anonymous = *facts;
    anonymous.field_count = 0;
    for (size_t i = 0; i < facts->field_count; ++i)
        if (!grammar_equal(facts->fields[i].name, SPAN("authorization")))
            anonymous.fields[anonymous.field_count++] = facts->fields[i];
    cached_write_key(config, &anonymous, path, key);
}

static void remove_stored(struct exchange *exchange, struct span key)
{
    struct cache *cache = &exchange->server->cache;
    struct span words[] = {SPAN("DEL"), key};
    struct purge *purge = h2o_mem_alloc_shared(&exchange->req->pool, sizeof(*purge), on_disposed);
    *purge = (struct purge){.exchange = exchange};
    purge_mark_send(cache, key, clock_wall_ms());
    if (cache->link != NULL)
        purge->call = cache_link_call(cache->link, words, 2, PURGE_REPLY_MS, on_reply, purge);
    if (purge->call != NULL)
        exchange_wait_for_purge(exchange);
    else
        refuse(exchange);
}

bool purge_answer(struct exchange *exchange, const struct cache_config *config,
                  const struct request_facts *facts, struct span path)
{
    // A challenge has to say how (RFC 6750 §3), and a 405 what else there is (RFC 9110 §15.5.6).
    static const struct field challenge = {{"www-authenticate", 16}, {"Bearer", 6}};
    static const struct field allow = {{"allow", 5},
                                       {"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", 44}};
    const char *sha256 = exchange->server->config->monitoring.token_sha256;
    struct buf key = BUF_INIT;
    if (sha256 == NULL || facts->method.length != 5 || memcmp(facts->method.bytes, "PURGE", 5) != 0)
        return false;
    if (!monitoring_token_fits(sha256, facts->fields, facts->field_count)) {
        exchange_reply_problem(exchange, 401, &challenge);
    } else if (config == NULL) {
        exchange_reply_problem(exchange, 405, &allow);
    } else {
        write_key(config, facts, path, &key);
        remove_stored(exchange, (struct span){key.data, key.length});
        buf_free(&key);
    }
    return true;
}
