// Who answers which path. All requests share one allowance: whoever may come here at all (the
// gateway's workers see to that) can still ask too often.
#include "api.h"

#include <stdbool.h>
#include <string.h>

#include "accept.h"
#include "facts.h"
#include "gzip.h"
#include "scrape.h"

enum { RATE = 20, BURST = 40 }; // requests a second

enum { GZIP_MIN = 1024 }; // less is not worth it

typedef void handle(struct api *api, const struct request *request, uint64_t now_ms,
                    struct answer *answer);

static void api_metrics(struct api *api, const struct request *request, uint64_t now_ms,
                        struct answer *answer)
{
    enum exposition_format format = accept_format(request->accept);
    merge_read(api->facts->merge);
    scrape_write(api->facts, now_ms, format, &answer->body);
    answer->content_type = exposition_content_type(format);
    answer->vary = "Accept, Accept-Encoding";
}

// --- dispatch -----------------------------------------------------------------------------------

static const struct row {
    const char *path;
    bool is_post; // else GET and HEAD
    handle *handle;
} rows[] = {
    {"/api/monitoring/metrics", false, api_metrics},
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

static void dispatch(struct api *api, const struct request *request, uint64_t now_ms,
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
        row->handle(api, request, now_ms, answer);
        compress(request, answer);
    }
}

void api_init(struct api *api, struct facts *facts, uint64_t now_ms)
{
    api->facts = facts;
    allowance_init(&api->allowance, RATE, BURST, now_ms);
}

void api_answer(struct api *api, const struct request *request, uint64_t now_ms,
                struct answer *answer)
{
    if (allowance_take(&api->allowance, now_ms)) {
        dispatch(api, request, now_ms, answer);
        return;
    }
    answer_problem(answer, 429);
    answer->retry_after_s = allowance_retry_after_s(&api->allowance);
}
