// The response filter that puts a problem+json body in the place of libh2o's sentences. A status
// without a body of ours becomes the general one of its class.
#include "own_errors.h"

#include "problem.h"

static void send_problem(h2o_ostream_t *stream, h2o_req_t *req, h2o_iovec_t *pieces, size_t count,
                         h2o_send_state_t state)
{
    const struct problem *problem = problem_get(req->res.status);
    h2o_iovec_t body = {(char *)problem->body.bytes, problem->body.length};
    (void)pieces;
    h2o_ostream_send_next(stream, req, &body, count == 0 ? 0 : 1, state);
}

static void setup(h2o_filter_t *self, h2o_req_t *req, h2o_ostream_t **slot)
{
    (void)self;
    if (req->res.status >= 400) {
        const struct problem *problem = problem_get(req->res.status);
        req->res.status = problem->status;
        req->res.reason = problem->title;
        req->res.content_length = problem->body.length;
        h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE,
                       H2O_STRLIT(PROBLEM_CONTENT_TYPE), 1);
        h2o_ostream_t *stream = h2o_add_ostream(req, sizeof(*stream), slot);
        stream->do_send = send_problem;
        slot = &stream->next;
    }
    h2o_setup_next_ostream(req, slot);
}

void own_errors_install(h2o_pathconf_t *path)
{
    h2o_filter_t *filter = h2o_create_filter(path, sizeof(*filter));
    filter->on_setup_ostream = setup;
}
