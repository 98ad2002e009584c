// A visit is one request: a socket pair, one end of which is a client's connection like any other
// to the server, while the other end is a client of a few lines. What comes first or again, and
// what an answer means, is warm_plan.c's business.
//
// Nothing begins until cachesvc has answered on the worker's connection: before that, answers would
// be fetched and not stored.
#include "warming.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/gateway_config.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/warm_url.h"
#include "grammar.h"
#include "response.h"
#include "server.h"
#include "warm_plan.h"

enum {
    TICK_MS = 5,
    CACHE_MS = 250, // without URLs; a cachesvc that does not answer keeps nobody from serving
    READ_SIZE = 65536,
};

struct visit {
    uv_pipe_t pipe;
    uv_write_t write;
    struct warming *warming;
    size_t index;    // of the URL
    struct buf text; // of the request
    struct buf head; // what has come of the answer, no more than a head may have
    struct visit *next, **at;
};

struct warming {
    struct server *server;
    const struct key_strings *urls; // borrowed
    void (*on_over)(void *context);
    void *context;
    struct warm_plan plan;
    uv_timer_t tick;
    struct visit *visits;
    char input[READ_SIZE]; // of all visits: each looks at it at once
};

static void advance(struct warming *warming);

static uint64_t now_ms(const struct warming *warming)
{
    return uv_now(warming->server->loop);
}

// --- a visit ------------------------------------------------------------------------------------

static void on_visit_closed(uv_handle_t *handle)
{
    struct visit *visit = handle->data;
    buf_free(&visit->text);
    buf_free(&visit->head);
    free(visit);
}

static void visit_close(struct visit *visit)
{
    *visit->at = visit->next;
    if (visit->next != NULL)
        visit->next->at = visit->at;
    uv_close((uv_handle_t *)&visit->pipe, on_visit_closed);
}

static void read_answer(const struct visit *visit, struct response_head *head,
                        struct warm_answer *answer)
{
    *answer = (struct warm_answer){.status = 0};
    if (response_parse_head(visit->head.data, visit->head.length, 0, false, head) != RESPONSE_OK)
        return;
    answer->status = head->status;
    for (size_t i = 0; i < head->field_count; ++i)
        if (grammar_equal(head->fields[i].name, SPAN("x-cache")))
            answer->cache_word = head->fields[i].value;
}

static void end_visit(struct visit *visit)
{
    struct warming *warming = visit->warming;
    struct response_head head;
    struct warm_answer answer;
    read_answer(visit, &head, &answer);
    warm_plan_end(&warming->plan, visit->index, &answer, now_ms(warming));
    visit_close(visit);
    advance(warming);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct visit *visit = handle->data;
    (void)suggested;
    *out = uv_buf_init(visit->warming->input, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *piece)
{
    struct visit *visit = stream->data;
    if (length < 0)
        end_visit(visit);
    else if (visit->head.length < RESPONSE_MAX_HEAD)
        buf_append(&visit->head, piece->base, (size_t)length);
}

static void on_written(uv_write_t *request, int status)
{
    (void)request;
    (void)status; // reading tells
}

// Without a host in the URL it means nothing to the cache, and is what a client of this machine
// sends.
static void write_request(struct visit *visit, const char *text)
{
    struct warm_url url;
    if (warm_url_parse(text, &url, NULL) != 0)
        return; // the configuration was checked
    if (url.host_length == 0) {
        url.host = "localhost";
        url.host_length = strlen(url.host);
    }
    buf_printf(&visit->text, "GET %s HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n\r\n",
               url.target, (int)url.host_length, url.host);
}

static struct visit *visit_new(struct warming *warming, size_t index)
{
    struct visit *visit = mem_zalloc(1, sizeof(*visit));
    visit->warming = warming;
    visit->index = index;
    visit->next = warming->visits;
    visit->at = &warming->visits;
    if (visit->next != NULL)
        visit->next->at = &visit->next;
    warming->visits = visit;
    uv_pipe_init(warming->server->loop, &visit->pipe, 0);
    visit->pipe.data = visit;
    write_request(visit, warming->urls->items[index]);
    return visit;
}

// An error shows as a connection that ends without an answer.
static void begin_visit(struct warming *warming, size_t index)
{
    struct warm_answer none = {.status = 0};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        warm_plan_end(&warming->plan, index, &none, now_ms(warming));
        return;
    }
    struct visit *visit = visit_new(warming, index);
    uv_buf_t piece = uv_buf_init(visit->text.data, (unsigned)visit->text.length);
    clients_adopt(&warming->server->clients, ends[0]);
    if (uv_pipe_open(&visit->pipe, ends[1]) != 0)
        close(ends[1]);
    uv_stream_t *stream = (uv_stream_t *)&visit->pipe;
    if (uv_read_start(stream, on_allocate, on_read) != 0 ||
        uv_write(&visit->write, stream, &piece, 1, on_written) != 0) {
        warm_plan_end(&warming->plan, index, &none, now_ms(warming));
        visit_close(visit);
    }
}

// --- all of them --------------------------------------------------------------------------------

static void on_tick_closed(uv_handle_t *handle)
{
    struct warming *warming = handle->data;
    warm_plan_fini(&warming->plan);
    free(warming);
}

void warming_close(struct warming *warming)
{
    if (warming == NULL)
        return;
    while (warming->visits != NULL)
        visit_close(warming->visits);
    uv_close((uv_handle_t *)&warming->tick, on_tick_closed);
}

static void report(const struct warming *warming)
{
    const struct warm_plan *plan = &warming->plan;
    if (plan->count == 0)
        return;
    for (size_t i = 0; i < plan->count; ++i)
        if (plan->items[i].state != WARM_WARM)
            log_warn("cache: %s is not warm: %s (status %d)", warming->urls->items[i],
                     warm_plan_reason(&plan->items[i]), plan->items[i].status);
    log_info("cache: warmed %zu of %zu in %llu ms", warm_plan_count_warm(plan), plan->count,
             (unsigned long long)(now_ms(warming) - plan->started_ms));
}

static bool is_over(const struct warming *warming)
{
    uint64_t now = now_ms(warming);
    if (warming->plan.count == 0)
        return warming->server->cache.segment.base != NULL || now >= warming->plan.deadline_ms;
    return warm_plan_is_over(&warming->plan, now);
}

static void advance(struct warming *warming)
{
    size_t index;
    if (is_over(warming)) {
        void (*on_over)(void *context) = warming->on_over;
        void *context = warming->context;
        report(warming);
        warming_close(warming);
        on_over(context);
        return;
    }
    if (warming->server->cache.segment.base == NULL)
        return;
    while ((index = warm_plan_next(&warming->plan, now_ms(warming))) != WARM_NONE)
        begin_visit(warming, index);
}

static void on_tick(uv_timer_t *timer)
{
    advance(timer->data);
}

struct warming *warming_start(struct server *server, void (*on_over)(void *context), void *context)
{
    const struct gateway_cache_config *config = &server->config->cache;
    if (server->cache.link == NULL) {
        if (config->warm.count > 0)
            log_warn("cache: nothing is warmed: there is no cachesvc");
        return NULL;
    }
    struct warming *warming = mem_zalloc(1, sizeof(*warming));
    warming->server = server;
    warming->urls = &config->warm;
    warming->on_over = on_over;
    warming->context = context;
    warm_plan_init(&warming->plan, config->warm.count, uv_now(server->loop),
                   config->warm.count > 0 ? (uint64_t)config->warm_timeout_ms : CACHE_MS);
    uv_timer_init(server->loop, &warming->tick);
    warming->tick.data = warming;
    uv_timer_start(&warming->tick, on_tick, 0, TICK_MS);
    return warming;
}
