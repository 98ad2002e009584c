// Level 1: 1 MB of metrics takes a few milliseconds, and becomes a tenth of that at any level.
#include "gzip.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/mem.h"

enum { LEVEL = 1, GZIP_WINDOW = 15 + 16, MEMORY = 8 };

static void *allocate(void *context, unsigned count, unsigned size)
{
    (void)context;
    return mem_zalloc(count, size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

void gzip_compress(struct buf *text)
{
    z_stream stream = {.next_in = (Bytef *)text->data,
                       .avail_in = (uInt)text->length,
                       .zalloc = allocate,
                       .zfree = release};
    struct buf out = BUF_INIT;
    int status = deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY);
    assert(status == Z_OK);
    size_t bound = deflateBound(&stream, text->length);
    stream.next_out = (Bytef *)buf_reserve(&out, bound);
    stream.avail_out = (uInt)bound;
    status = deflate(&stream, Z_FINISH);
    assert(status == Z_STREAM_END);
    (void)status;
    buf_commit(&out, stream.total_out);
    deflateEnd(&stream);
    buf_free(text);
    *text = out;
}
