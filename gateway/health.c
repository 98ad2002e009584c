// Live: this process answers. Ready: it may get traffic, which it may not while something critical
// is away, or while it drains. Started: it listens, so it has. Status: the same, and numbers.
//
// Every reason is in the documents, by name; nothing in them is an address. Nothing here waits:
// what is looked at is in our own memory, or in pages that we have mapped.
#include "health.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accept.h"
#include "common/breaker.h"
#include "common/clock.h"
#include "common/gateway_config.h"
#include "common/json.h"
#include "common/mem.h"
#include "endpoints.h"
#include "exchange.h"
#include "health_report.h"
#include "request_check.h"
#include "server.h"

enum { LOOK_MS = 1000 };

#define DRAFT_TYPE "application/health+json"

// --- looking ------------------------------------------------------------------------------------

static void check_upstream(const struct upstream *upstream, struct health_check *check)
{
    *check = (struct health_check){.name = upstream->config->name,
                                   .is_healthy = upstream->count > 0,
                                   .is_critical = upstream->config->critical};
    if (upstream->count == 0)
        snprintf(check->message, sizeof(check->message), "no endpoint");
    else
        snprintf(check->message, sizeof(check->message), "%zu endpoint%s", upstream->count,
                 upstream->count == 1 ? "" : "s");
}

static const struct segment_header *page_of(const struct server *server)
{
    return server->cache.segment.base != NULL ? server->cache.segment.header : NULL;
}

// SEGMENT_NO_REDIS too when nobody knows.
static uint32_t redis_word(const struct server *server)
{
    const struct segment_header *page = page_of(server);
    return page != NULL ? atomic_load_explicit(&page->redis, memory_order_relaxed)
                        : SEGMENT_NO_REDIS;
}

static void check_redis(const struct server *server, uint32_t word, struct health_check *check)
{
    *check = (struct health_check){
        .name = "redis",
        .is_healthy = word == SEGMENT_REDIS + BREAKER_CLOSED,
        .is_critical =
            atomic_load_explicit(&page_of(server)->redis_is_critical, memory_order_relaxed) != 0};
    snprintf(check->message, sizeof(check->message), "%s",
             check->is_healthy ? "answers" : "does not answer");
}

// `checks` has room for one more than there are upstreams.
static size_t check_all(const struct server *server, struct health_check *checks)
{
    size_t count = 0;
    for (size_t i = 0; i < server->upstreams.count; ++i)
        check_upstream(&server->upstreams.items[i], &checks[count++]);
    uint32_t word = redis_word(server);
    if (word != SEGMENT_NO_REDIS)
        check_redis(server, word, &checks[count++]);
    return count;
}

static uint64_t resident_bytes(void)
{
    uint64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %" SCNu64, &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void look_at_memory(const struct server *server, struct health_facts *facts)
{
    struct mallinfo2 heap = mallinfo2();
    facts->memory.heap_used = heap.uordblks + heap.hblkhd;
    facts->memory.heap_total = heap.arena + heap.hblkhd;
    facts->memory.rss = resident_bytes();
    facts->memory.external = page_of(server) != NULL ? server->cache.segment.size : 0;
}

static void look_at_cache(const struct server *server, struct health_facts *facts)
{
    const struct segment_header *page = page_of(server);
    metrics_sum_cache(&server->metrics, &facts->cache.hits, &facts->cache.misses);
    if (page == NULL)
        return;
    // A connection to one that was stopped stays, and nobody may have asked it anything since.
    facts->cache.is_healthy = server->cache.link != NULL &&
                              cache_link_is_of_use(server->cache.link) &&
                              segment_writer_is_alive(page, clock_mono_ms());
    facts->cache.keys = page->items;
    facts->cache.bytes = page->item_bytes;
}

// --- documents ----------------------------------------------------------------------------------

static void write_document(struct buf *out, struct json_object *document)
{
    buf_consume(out, out->length);
    buf_append_text(out, json_object_to_json_string_ext(
                             document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(document);
}

static void look(struct server *server)
{
    struct health *health = &server->health;
    struct health_check *checks = mem_zalloc(server->upstreams.count + 1, sizeof(*checks));
    char runtime[64];
    snprintf(runtime, sizeof(runtime), "native (libuv %s)", uv_version_string());
    struct health_facts facts = {.checks = checks,
                                 .check_count = check_all(server, checks),
                                 .is_draining = server->draining,
                                 .now_wall_ms = clock_wall_ms(),
                                 .uptime_ms = clock_mono_ms() - health->started_ms,
                                 .runtime = runtime,
                                 .pid = (int)getpid()};
    look_at_memory(server, &facts);
    look_at_cache(server, &facts);
    health->is_available = health_report_state(&facts) != HEALTH_BAD;
    write_document(&health->documents[HEALTH_READY], health_report_ready(&facts));
    write_document(&health->documents[HEALTH_STATUS], health_report_status(&facts));
    write_document(&health->documents[HEALTH_DRAFT], health_report_draft(&facts));
    free(checks);
}

static void look_if_old(struct server *server)
{
    struct health *health = &server->health;
    uint64_t now = uv_now(server->loop);
    uint32_t redis = redis_word(server);
    if (health->looked_ms != 0 && now - health->looked_ms < LOOK_MS &&
        health->was_draining == server->draining && health->redis == redis &&
        health->generation == server->upstreams.generation)
        return;
    health->looked_ms = now;
    health->was_draining = server->draining;
    health->redis = redis;
    health->generation = server->upstreams.generation;
    look(server);
}

void health_init(struct health *health)
{
    *health = (struct health){.started_ms = clock_mono_ms()};
}

void health_fini(struct health *health)
{
    for (size_t i = 0; i < HEALTH_DOCUMENTS; ++i)
        buf_free(&health->documents[i]);
}

// --- answers ------------------------------------------------------------------------------------

static bool is(struct span text, const char *literal)
{
    return text.length == strlen(literal) && memcmp(text.bytes, literal, text.length) == 0;
}

static void answer_word(struct exchange *exchange, const char *word)
{
    char text[96], now[CLOCK_ISO_SIZE];
    clock_format_iso(clock_wall_ms(), now);
    int length =
        snprintf(text, sizeof(text), "{\"status\":\"%s\",\"timestamp\":\"%s\"}", word, now);
    exchange_reply_json(exchange, 200, SPAN("application/json"),
                        (struct span){text, (size_t)length});
}

static void answer_pass(struct exchange *exchange)
{
    struct buf text = BUF_INIT;
    write_document(&text, health_report_draft_pass());
    exchange_reply_json(exchange, 200, SPAN(DRAFT_TYPE), (struct span){text.data, text.length});
    buf_free(&text);
}

static void answer_document(struct exchange *exchange, enum health_document document,
                            struct span type)
{
    struct server *server = exchange->server;
    look_if_old(server);
    const struct buf *body = &server->health.documents[document];
    exchange_reply_json(exchange, server->health.is_available ? 200 : 503, type,
                        (struct span){body->data, body->length});
}

static bool wants_draft(const struct request_facts *facts)
{
    unsigned draft = accept_quality(facts->fields, facts->field_count, SPAN(DRAFT_TYPE));
    return draft > 0 &&
           draft >= accept_quality(facts->fields, facts->field_count, SPAN("application/json"));
}

bool health_answer(struct exchange *exchange, const struct request_facts *facts, struct span path)
{
    static const struct field allow = {{"allow", 5}, {"GET, HEAD", 9}};
    bool live = is(path, "/health/live"), startup = is(path, "/health/startup");
    bool ready = is(path, "/health/ready");
    if (!live && !startup && !ready && !is(path, "/health/status"))
        return false;
    exchange->counted_as = METRICS_HEALTH;
    if (!is(facts->method, "GET") && !is(facts->method, "HEAD"))
        exchange_reply_problem(exchange, 405, &allow);
    else if (wants_draft(facts) && (live || startup))
        answer_pass(exchange);
    else if (wants_draft(facts))
        answer_document(exchange, HEALTH_DRAFT, SPAN(DRAFT_TYPE));
    else if (live || startup)
        answer_word(exchange, live ? "alive" : "started");
    else
        answer_document(exchange, ready ? HEALTH_READY : HEALTH_STATUS, SPAN("application/json"));
    return true;
}
