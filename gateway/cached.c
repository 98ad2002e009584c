// A request's way through the cache; see the header for the drawing.
//
// Invariants: a flight that is led lands or is given up exactly once, also when the request is
// disposed of; a lock that was taken is given back, or its life ends by itself. After a call that
// may answer, the request may be gone and is not touched.
#include "cached.h"

#include <h2o.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "route_fields.h"
#include "cache_key.h"
#include "cache_policy.h"
#include "common/cache_config.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/state_page.h"
#include "conditional.h"
#include "exchange.h"
#include "landing.h"
#include "lookup.h"
#include "match.h"
#include "purge_mark.h"
#include "reply.h"
#include "request_check.h"
#include "response.h"
#include "server.h"
#include "stored.h"
#include "turn.h"
#include "vary.h"

struct cached {
    struct exchange *exchange;
    struct cache *cache;
    const struct cache_config *config;
    struct request_facts facts;
    struct cache_decision decision;
    struct buf key;
    struct lookup lookup;
    bool pass;                // answers to this could not be stored lately
    enum metric_cache result; // that it is counted as
    const char *word;         // that was said; NULL: none yet
    struct span missing;      // the key under which the last look found nothing at all, or empty
    struct span stale;        // a stored answer, if what is fetched fails; empty: none

    struct flight *flight; // we lead
    struct flight_waiter waiter;
    struct turn turn;     // to fetch, of the worker
    uint64_t asked_at_ms; // the upstream; clock_wall_ms

    bool is_capturing;
    struct buf blob;
    struct buf mark,
        variant_key; // of an answer with Vary: what leads to it, and where it is stored
};

static struct span span_of(const struct buf *buf)
{
    return (struct span){buf->data, buf->length};
}

static h2o_req_t *req_of(const struct cached *cached)
{
    return cached->exchange->req;
}

// --- life ---------------------------------------------------------------------------------------

static struct match_subject subject_of(const struct request_facts *facts, struct span path)
{
    return (struct match_subject){.method = facts->method,
                                  .path = path,
                                  .query = facts->query,
                                  .fields = facts->fields,
                                  .field_count = facts->field_count};
}

void cached_write_key(const struct cache_config *config, const struct request_facts *facts,
                      struct span path, struct buf *key)
{
    struct cache_key_request request = {.scheme = SPAN("http"),
                                        .host = facts->authority,
                                        .path = path,
                                        .query = facts->query,
                                        .fields = facts->fields,
                                        .field_count = facts->field_count};
    cache_key_write(&config->key, &request, key);
}

struct cached *cached_new(struct exchange *exchange, const struct cache_config *config,
                          const struct request_facts *facts, struct span path)
{
    struct cached *cached = h2o_mem_alloc_pool(&exchange->req->pool, sizeof(*cached));
    struct match_subject subject = subject_of(facts, path);
    memset(cached, 0, offsetof(struct cached, facts));
    memset(&cached->decision, 0, sizeof(*cached) - offsetof(struct cached, decision));
    cached->exchange = exchange;
    cached->cache = &exchange->server->cache;
    cached->config = config;
    cached->result = CACHE_BYPASS;
    // Only as many fields as there are.
    memcpy(&cached->facts, facts, offsetof(struct request_facts, fields));
    cached->facts.field_count = facts->field_count;
    memcpy(cached->facts.fields, facts->fields, facts->field_count * sizeof(*facts->fields));
    cached->decision = cache_policy_request(config, &subject, facts->has_body);
    if (cached->decision.may_look_up || cached->decision.may_store)
        cached_write_key(config, &cached->facts, path, &cached->key);
    cached->lookup = (struct lookup){.segment = &cached->cache->segment,
                                     .pool = &exchange->req->pool,
                                     .key = span_of(&cached->key),
                                     .fields = cached->facts.fields,
                                     .field_count = facts->field_count};
    return cached;
}

static void land(struct cached *cached)
{
    struct flight *flight = cached->flight;
    cached->flight = NULL;
    turn_end(&cached->turn);
    if (flight != NULL)
        flight_land(flight);
}

static void leave_queue(struct cached *cached)
{
    if (cached->waiter.at != NULL)
        flight_leave(&cached->waiter);
}

void cached_dispose(struct cached *cached)
{
    if (cached == NULL)
        return;
    struct flight *flight = cached->flight;
    metrics_count_cache(&cached->exchange->server->metrics, cached->exchange->counted_as,
                        cached->result);
    cached->flight = NULL;
    leave_queue(cached);
    turn_end(&cached->turn);
    buf_free(&cached->key);
    buf_free(&cached->blob);
    buf_free(&cached->mark);
    buf_free(&cached->variant_key);
    if (flight != NULL)
        flight_give_up(flight);
}

// --- answers from the segment -------------------------------------------------------------------

static void add_field(h2o_req_t *req, const char *name, struct span value)
{
    h2o_iovec_t copy = h2o_strdup(&req->pool, value.bytes, value.length);
    h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 0, NULL, copy.base,
                          copy.len);
}

const char *cached_word(const struct cached *cached)
{
    return cached->word != NULL ? cached->word : "";
}

static void say(struct cached *cached, const char *word)
{
    cached->word = word;
    add_field(req_of(cached), "X-Cache", (struct span){word, strlen(word)});
    if (cached->config->debug && cached->key.length > 0)
        add_field(req_of(cached), "X-Cache-Key", span_of(&cached->key));
}

static void add_stored_fields(const struct exchange *exchange, const struct stored *stored)
{
    h2o_req_t *req = exchange->req;
    struct span rest = stored->fields;
    struct field field;
    while (stored_next_field(&rest, &field))
        if (!route_fields_replace(exchange->route, stored->status, field.name))
            h2o_add_header_by_str(&req->pool, &req->res.headers, field.name.bytes,
                                  field.name.length, 0, NULL, field.value.bytes,
                                  field.value.length);
}

// Without a format string, which would cost a hit more than all its other fields.
static void add_age(h2o_req_t *req, uint32_t age_s)
{
    char text[sizeof("4294967295") - 1];
    char *end = text + sizeof(text), *at = end;
    do
        *--at = (char)('0' + age_s % 10);
    while ((age_s /= 10) > 0);
    add_field(req, "Age", (struct span){at, (size_t)(end - at)});
}

static void reply(struct cached *cached, const struct stored *stored, const char *word)
{
    struct exchange *exchange = cached->exchange;
    h2o_req_t *req = exchange->req;
    uint64_t now_ms = clock_wall_ms();
    bool is_not_modified =
        conditional_is_not_modified(cached->facts.fields, cached->facts.field_count, stored->etag,
                                    stored->last_modified, (int64_t)(now_ms / 1000));
    add_stored_fields(exchange, stored);
    route_fields_add(req, exchange->route, stored->status);
    add_age(req, cache_policy_age(stored->initial_age_s, stored->stored_at_ms, now_ms));
    say(cached, word);
    exchange_reply_stored(exchange, is_not_modified ? 304 : stored->status,
                          is_not_modified ? (struct span){NULL, 0} : stored->reason, stored->body);
}

// For cachesvc, which otherwise would not know what is popular.
static void touch(struct cached *cached)
{
    struct state_column *column = cached->exchange->server->column;
    uint32_t count = atomic_load_explicit(&column->touch_count, memory_order_relaxed);
    atomic_store_explicit(&column->touched[count % STATE_TOUCHES],
                          segment_hash(cached->key.data, cached->key.length), memory_order_relaxed);
    atomic_store_explicit(&column->touch_count, count + 1, memory_order_release);
}

bool cached_answer(struct cached *cached)
{
    struct lookup_found found;
    if (!cached->decision.may_look_up || cached->cache->segment.base == NULL)
        return false;
    lookup_find(&cached->lookup, &found);
    cached->pass = found.kind == STORED_PASS;
    cached->missing = found.missing;
    enum cache_freshness freshness = FRESHNESS_EXPIRED;
    if (found.kind == STORED_ANSWER)
        freshness =
            cache_policy_freshness(found.stored.stored_at_ms, found.stored.ttl_ms,
                                   (uint64_t)cached->config->keep_stale_ms, clock_wall_ms());
    if (freshness == FRESHNESS_STALE)
        cached->stale = found.blob;
    if (cached->result == CACHE_BYPASS) // whoever had to wait for it has missed it
        cached->result = freshness == FRESHNESS_FRESH ? CACHE_HIT : CACHE_MISS;
    if (freshness != FRESHNESS_FRESH)
        return false;
    touch(cached);
    reply(cached, &found.stored, "HIT");
    return true;
}

bool cached_answer_stale(struct cached *cached)
{
    struct stored stored;
    struct vary vary;
    if (cached->stale.length == 0 || stored_read(cached->stale, &stored, &vary) != STORED_ANSWER) {
        land(cached);
        return false;
    }
    land(cached);
    cached->result = CACHE_STALE;
    reply(cached, &stored, "STALE");
    return true;
}

// --- waiting ------------------------------------------------------------------------------------

static void fetch(struct cached *cached)
{
    cached->asked_at_ms = clock_wall_ms();
    exchange_fetch(cached->exchange);
}

void cached_go_alone(struct cached *cached)
{
    leave_queue(cached);
    land(cached);
    exchange_fetch(cached->exchange);
}

// true: the request is answered, or goes alone, since nobody should wait; it may be gone.
static bool look_again(struct cached *cached)
{
    struct flight *flight = cached->flight;
    cached->flight = NULL; // an answer disposes of the request
    if (cached_answer(cached)) {
        if (flight != NULL)
            flight_land(flight);
        return true;
    }
    cached->flight = flight;
    if (!cached->pass)
        return false;
    cached_go_alone(cached);
    return true;
}

static void on_turn(struct turn *turn, enum turn_news news)
{
    struct cached *cached = H2O_STRUCT_FROM_MEMBER(struct cached, turn, turn);
    switch (news) {
    case TURN_LOOK:
        if (!look_again(cached))
            turn_go_on(turn, cached->missing);
        break;
    case TURN_FETCH:
        fetch(cached);
        break;
    case TURN_ALONE:
        cached_go_alone(cached);
        break;
    }
}

static void on_flight(struct flight_waiter *waiter, enum flight_news news)
{
    struct cached *cached = H2O_STRUCT_FROM_MEMBER(struct cached, waiter, waiter);
    switch (news) {
    case FLIGHT_LANDED:
        if (!look_again(cached))
            cached_go_alone(cached);
        break;
    case FLIGHT_LEAD:
        cached->flight = waiter->flight;
        if (!turn_begin(&cached->turn))
            fetch(cached);
        break;
    }
}

bool cached_wait(struct cached *cached)
{
    struct server *server = cached->exchange->server;
    int64_t wait_ms = cached->config->wait_ms;
    if (!cached->decision.may_store || cached->pass || cached->cache->segment.base == NULL)
        return false;
    cached->asked_at_ms = clock_wall_ms();
    cached->turn = (struct turn){.server = server,
                                 .key = span_of(&cached->key),
                                 .lock_ms = wait_ms,
                                 .until_ms = uv_now(server->loop) + (uint64_t)wait_ms,
                                 .on_news = on_turn};
    cached->waiter.on_news = on_flight;
    cached->flight = flights_join(cached->cache->flights, span_of(&cached->key), &cached->waiter);
    if (cached->flight != NULL && !turn_begin(&cached->turn))
        return false;
    exchange_wait_for_cache(cached->exchange, wait_ms);
    return true;
}

// --- storing ------------------------------------------------------------------------------------

// Nobody should wait for such an answer for a while.
static void pass_from_now_on(struct cached *cached, enum cache_reason reason)
{
    struct buf blob = BUF_INIT;
    if (cached->config->hit_for_miss_ms > 0) {
        stored_write_pass(&blob, (int)reason, clock_wall_ms());
        cache_store(cached->cache, span_of(&cached->key), span_of(&blob),
                    (uint64_t)cached->config->hit_for_miss_ms, NULL, 0);
    }
    buf_free(&blob);
}

static void give_up_storing(struct cached *cached, enum cache_reason reason)
{
    log_debug("cache: not stored: %s", cache_reason_text(reason));
    cached->is_capturing = false;
    buf_free(&cached->blob);
    pass_from_now_on(cached, reason);
    land(cached);
}

static bool begin_blob(struct cached *cached, const struct response_head *head)
{
    struct stored_source source = {.stored_at_ms = clock_wall_ms(),
                                   .ttl_ms = (uint64_t)cached->config->ttl_ms,
                                   .initial_age_s =
                                       cache_policy_initial_age(head->fields, head->field_count),
                                   .status = head->status,
                                   .reason = head->reason,
                                   .fields = head->fields,
                                   .field_count = head->field_count,
                                   .connection = &head->connection};
    return stored_begin(&cached->blob, &source) == 0;
}

// The names of an answer's Vary point into its head, which goes: mark and key are made now. The
// mark is stored with the answer, not before: until then somebody may remove the one that is there.
static void select_variant(struct cached *cached, const struct response_head *head)
{
    struct vary vary;
    if (!vary_read(head->fields, head->field_count, &vary) || vary.count == 0)
        return;
    uint32_t nonce = lookup_choose_nonce(&cached->lookup, &vary);
    lookup_write_variant_key(&cached->lookup, &vary, nonce, &cached->variant_key);
    stored_write_vary(&cached->mark, &vary, nonce, clock_wall_ms());
}

void cached_on_head(struct cached *cached, const struct response_head *head)
{
    say(cached, cached->decision.may_look_up ? "MISS" : "BYPASS");
    if (cached->flight == NULL)
        return;
    enum cache_reason reason = cache_policy_response(cached->config, head->status, head->fields,
                                                     head->field_count, head->content_length);
    if (reason == CACHE_MAY && !begin_blob(cached, head))
        reason = CACHE_TOO_LARGE;
    if (reason != CACHE_MAY) {
        give_up_storing(cached, reason);
        return;
    }
    cached->is_capturing = true;
    select_variant(cached, head);
}

void cached_on_body(struct cached *cached, const char *bytes, size_t length)
{
    if (!cached->is_capturing)
        return;
    enum cache_reason reason =
        cache_policy_body(cached->config, cached->blob.length + length, true);
    if (reason == CACHE_MAY)
        buf_append(&cached->blob, bytes, length);
    else
        give_up_storing(cached, reason);
}

static void land_when_stored(struct cached *cached)
{
    struct flight *flight = cached->flight;
    struct span token = {cached->turn.token, strlen(cached->turn.token)};
    cached->flight = NULL;
    landing_begin(cached->cache, flight, span_of(&cached->key), token, cached->asked_at_ms);
    cached->turn.token[0] = '\0';
}

// What was asked for before a purge is not stored after it.
static bool is_purged(const struct cached *cached)
{
    return purge_mark_is_since(cached->cache, span_of(&cached->key), cached->asked_at_ms);
}

static void store(struct cached *cached)
{
    const struct cache_config *config = cached->config;
    uint64_t life_ms = (uint64_t)(config->ttl_ms + config->keep_stale_ms);
    bool has_vary = cached->mark.length > 0;
    struct span *tags = mem_alloc((config->tags.count + 1) * sizeof(*tags));
    for (size_t i = 0; i < config->tags.count; i++)
        tags[i] = (struct span){config->tags.items[i], strlen(config->tags.items[i])};
    if (has_vary)
        cache_store(cached->cache, span_of(&cached->key), span_of(&cached->mark), life_ms, NULL, 0);
    cache_store(cached->cache, span_of(has_vary ? &cached->variant_key : &cached->key),
                span_of(&cached->blob), life_ms, tags, config->tags.count);
    free(tags);
}

void cached_on_complete(struct cached *cached)
{
    if (!cached->is_capturing)
        return;
    cached->is_capturing = false;
    stored_finish(&cached->blob);
    if (is_purged(cached)) {
        land(cached);
    } else {
        store(cached);
        land_when_stored(cached);
    }
    buf_free(&cached->blob);
}
