// Our own answers, through libh2o. Not its job: which one (proxy.c, exchange.c, health.c).
#include "reply.h"

#include <stdbool.h>

#include "problem.h"

static void send_body(h2o_req_t *req, struct span body)
{
    static h2o_generator_t generator = {NULL, NULL};
    h2o_iovec_t piece = {(char *)body.bytes, body.length};
    bool is_head = h2o_memis(req->input.method.base, req->input.method.len, H2O_STRLIT("HEAD"));
    req->res.content_length = body.length;
    h2o_start_response(req, &generator);
    h2o_send(req, &piece, is_head || body.length == 0 ? 0 : 1, H2O_SEND_STATE_FINAL);
}

void reply_problem(h2o_req_t *req, int status, const struct field *field)
{
    const struct problem *problem = problem_get(status);
    req->res.status = problem->status;
    req->res.reason = problem->title;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT(PROBLEM_CONTENT_TYPE));
    if (field != NULL)
        h2o_add_header_by_str(&req->pool, &req->res.headers, field->name.bytes, field->name.length,
                              0, NULL, field->value.bytes, field->value.length);
    send_body(req, problem->body);
}

void reply_json(h2o_req_t *req, int status, struct span type, struct span body)
{
    h2o_iovec_t copy = h2o_strdup(&req->pool, body.bytes, body.length);
    req->res.status = status;
    req->res.reason = status == 200 ? "OK" : problem_get(status)->title;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, type.bytes,
                   type.length);
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CACHE_CONTROL, NULL,
                   H2O_STRLIT("no-store"));
    send_body(req, (struct span){copy.base, copy.len});
}

void reply_no_content(h2o_req_t *req)
{
    static h2o_generator_t generator = {NULL, NULL};
    req->res.status = 204;
    req->res.reason = "No Content";
    h2o_start_response(req, &generator);
    h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
}

void reply_nothing(h2o_req_t *req)
{
    req->http1_is_persistent = 0;
    req->res.status = 499;
    req->res.reason = "Client Closed Request";
    send_body(req, (struct span){NULL, 0});
}

void reply_stored(h2o_req_t *req, int status, struct span reason, struct span body)
{
    req->res.status = status;
    req->res.reason = status == 304 ? "Not Modified" : "OK";
    if (status != 304 && status != 200)
        req->res.reason = h2o_strdup(&req->pool, reason.bytes, reason.length).base;
    if (status == 304)
        body = (struct span){NULL, 0};
    send_body(req, body);
}
