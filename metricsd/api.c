// Who answers which path. All requests share one allowance: whoever may come here at all (the
// gateway's workers see to that) can still ask too often.
#include "api.h"

#include <stdbool.h>
#include <string.h>

#include "accept.h"
#include "baseline.h"
#include "common/clock.h"
#include "common/foreign_text.h"
#include "gzip.h"
#include "scrape.h"

enum { RATE = 20, BURST = 40 }; // requests a second

enum { GZIP_MIN = 1024 }; // less is not worth it

// Fills the body, and what differs from "200 OK" with JSON in it. merge_read was called.
typedef void handle(struct api *api, const struct request *request, struct moment now,
                    struct answer *answer);

static void api_metrics(struct api *api, const struct request *request, struct moment now,
                        struct answer *answer)
{
    enum exposition_format format = accept_format(request->accept);
    scrape_write(api->facts, now.mono_ms, format, &answer->body);
    answer->content_type = exposition_content_type(format);
    answer->vary = "Accept, Accept-Encoding";
}

static void api_stats(struct api *api, const struct request *request, struct moment now,
                      struct answer *answer)
{
    (void)request;
    view_stats(api->facts, now, &answer->body);
}

static void api_performance(struct api *api, const struct request *request, struct moment now,
                            struct answer *answer)
{
    (void)request;
    view_performance(api->facts, now, &answer->body);
}

static void api_errors(struct api *api, const struct request *request, struct moment now,
                       struct answer *answer)
{
    (void)now;
    if (view_errors(api->facts, request->query, &answer->body) == -1)
        answer_problem(answer, 400);
}

static void api_history(struct api *api, const struct request *request, struct moment now,
                        struct answer *answer)
{
    if (view_history(api->facts, request->query, now, &answer->body) == -1)
        answer_problem(answer, 400);
}

// The gateway puts the address that it sees behind what a proxy said (gateway/request_head.h).
static void describe_asker(const char *forwarded_for, struct buf *text)
{
    const char *comma = strrchr(forwarded_for, ',');
    if (!comma)
        buf_append_text(text, forwarded_for[0] != '\0' ? forwarded_for : "a local client");
    else
        buf_printf(text, "%s (X-Forwarded-For: %.*s)", comma + 1 + strspn(comma + 1, " "),
                   (int)(comma - forwarded_for), forwarded_for);
}

static void tell_reset(const struct api *api, const struct request *request)
{
    struct buf text = BUF_INIT;
    char by[API_ASKER_SIZE];
    describe_asker(request->forwarded_for, &text);
    foreign_text_copy(by, sizeof by, text.data, text.length);
    buf_free(&text);
    api->on_reset(api->context, by);
}

static void api_reset_all(struct api *api, const struct request *request, struct moment now,
                          struct answer *answer)
{
    char timestamp[CLOCK_ISO_SIZE];
    clock_format_iso(now.wall_ms, timestamp);
    baseline_set(api->facts->page, api->facts->merge, now.wall_ms);
    buf_printf(&answer->body, "{\"message\":\"Metrics reset\",\"timestamp\":\"%s\"}\n", timestamp);
    tell_reset(api, request);
}

// --- dispatch -----------------------------------------------------------------------------------

static const struct row {
    const char *path;
    bool is_post; // else GET and HEAD
    handle *handle;
} rows[] = {
    {"/api/monitoring/metrics", false, api_metrics},
    {"/api/monitoring/stats", false, api_stats},
    {"/api/monitoring/performance", false, api_performance},
    {"/api/monitoring/errors", false, api_errors},
    {"/api/monitoring/history", false, api_history},
    {"/api/monitoring/reset", true, api_reset_all},
};

static const struct row *find_row(const char *path)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].path, path) == 0)
            return &rows[i];
    return NULL;
}

static bool takes_method(const struct row *row, const char *method)
{
    if (row->is_post)
        return strcmp(method, "POST") == 0;
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void compress(const struct request *request, struct answer *answer)
{
    if (answer->status != 200)
        return;
    if (!answer->vary)
        answer->vary = "Accept-Encoding";
    if (answer->body.length < GZIP_MIN || !accept_gzip(request->accept_encoding))
        return;
    gzip_compress(&answer->body);
    answer->content_encoding = "gzip";
}

static void dispatch(struct api *api, const struct request *request, struct moment now,
                     struct answer *answer)
{
    const struct row *row = find_row(request->path);
    if (!row) {
        answer_problem(answer, 404);
    } else if (!takes_method(row, request->method)) {
        answer_problem(answer, 405);
        answer->allow = row->is_post ? "POST" : "GET, HEAD";
    } else {
        answer->status = 200;
        answer->reason = "OK";
        answer->content_type = "application/json; charset=utf-8";
        merge_read(api->facts->merge);
        row->handle(api, request, now, answer);
        compress(request, answer);
    }
}

void api_init(struct api *api, struct facts *facts, uint64_t now_ms, api_reset *on_reset,
              void *context)
{
    *api = (struct api){.facts = facts, .on_reset = on_reset, .context = context};
    allowance_init(&api->allowance, RATE, BURST, now_ms);
}

void api_answer(struct api *api, const struct request *request, struct moment now,
                struct answer *answer)
{
    if (allowance_take(&api->allowance, now.mono_ms)) {
        dispatch(api, request, now, answer);
        return;
    }
    answer_problem(answer, 429);
    answer->retry_after_s = allowance_retry_after_s(&api->allowance);
}
