// The response filter that frames a body of unknown length.
//
// One h2o_send becomes one chunk, and the last chunk goes with the last bytes, so that a body costs
// no write of its own for its end. The head of an answer whose body is not there yet is sent alone:
// h2o_ostream_send_next would keep it until something follows, and some clients wait for it. An
// answer that fails on the way gets nothing more: without its last chunk no client takes it for
// complete.
#include "chunked.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNKED_MAX_PIECES = 32, CHUNK_HEAD_SIZE = 24 };

struct encoder {
    h2o_ostream_t super;
    bool begun;                 // something was sent, and with it the head of the answer
    char head[CHUNK_HEAD_SIZE]; // of the chunk under way
};

static void send_chunk(h2o_ostream_t *stream, h2o_req_t *req, h2o_iovec_t *pieces, size_t count,
                       h2o_send_state_t state)
{
    struct encoder *encoder = H2O_STRUCT_FROM_MEMBER(struct encoder, super, stream);
    h2o_iovec_t out[CHUNKED_MAX_PIECES + 2];
    size_t out_count = 0, length = 0;
    assert(count <= CHUNKED_MAX_PIECES);
    if (state == H2O_SEND_STATE_ERROR)
        count = 0;
    for (size_t i = 0; i < count; ++i)
        length += pieces[i].len;
    req->bytes_sent += length;
    if (length > 0) {
        int head = snprintf(encoder->head, sizeof(encoder->head), "%zx\r\n", length);
        out[out_count++] = h2o_iovec_init(encoder->head, (size_t)head);
        for (size_t i = 0; i < count; ++i)
            out[out_count++] = pieces[i];
    }
    if (state == H2O_SEND_STATE_FINAL)
        out[out_count++] = length > 0 ? h2o_iovec_init(H2O_STRLIT("\r\n0\r\n\r\n"))
                                      : h2o_iovec_init(H2O_STRLIT("0\r\n\r\n"));
    else if (length > 0)
        out[out_count++] = h2o_iovec_init(H2O_STRLIT("\r\n"));
    bool head_alone = !encoder->begun && out_count == 0 && state == H2O_SEND_STATE_IN_PROGRESS;
    encoder->begun = true;
    if (head_alone)
        stream->next->do_send(stream->next, req, NULL, 0, state);
    else
        h2o_ostream_send_next(&encoder->super, req, out, out_count, state);
}

static bool has_body(const h2o_req_t *req)
{
    return req->res.status >= 200 && req->res.status != 204 && req->res.status != 304 &&
           !h2o_memis(req->input.method.base, req->input.method.len, H2O_STRLIT("HEAD"));
}

static void setup(h2o_filter_t *self, h2o_req_t *req, h2o_ostream_t **slot)
{
    (void)self;
    if (req->res.content_length == SIZE_MAX && has_body(req)) {
        if (req->version == 0x101) {
            h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_TRANSFER_ENCODING, NULL,
                           H2O_STRLIT("chunked"));
            req->bytes_counted_by_ostream = 1;
            struct encoder *encoder = (void *)h2o_add_ostream(req, sizeof(*encoder), slot);
            encoder->super.do_send = send_chunk;
            encoder->begun = false;
            slot = &encoder->super.next;
        } else {
            req->http1_is_persistent = 0; // HTTP/1.0: the end of the connection ends the body
        }
    }
    h2o_setup_next_ostream(req, slot);
}

void chunked_install(h2o_pathconf_t *path)
{
    assert(path->filters.size == 1);
    free(path->filters.entries[0]);
    path->filters.size = 0;
    h2o_filter_t *filter = h2o_create_filter(path, sizeof(*filter));
    filter->on_setup_ostream = setup;
}
