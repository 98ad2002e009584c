// What apps print, in the log: cut into lines whatever the chunks, and as records of JSON.
//
// The first byte says how large the chunks are.
//
// covers: supervisor/daemon/log_lines.c supervisor/daemon/log_format.c
#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log_format.h"
#include "log_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct log_format format = {.json = true, .date = "[now]", .app = "a\"pp"};

static void put(struct buf *out, const char *bytes, size_t length)
{
    log_format_append_lines(out, &format, 0, bytes, length);
}

static void put_in_chunks(struct buf *out, const char *bytes, size_t length, size_t chunk)
{
    struct buf waiting = BUF_INIT;
    for (size_t some, whole; length > 0; bytes += some, length -= some) {
        some = length < chunk ? length : chunk;
        buf_append(&waiting, bytes, some);
        while ((whole = log_lines_whole(waiting.data, waiting.length)) > 0) {
            put(out, waiting.data, whole);
            buf_consume(&waiting, whole);
        }
        if (waiting.length > LOG_LINES_MAX)
            abort();
    }
    put(out, waiting.data, waiting.length);
    buf_free(&waiting);
}

static void expect_records(struct buf *out)
{
    struct json_tokener *tokener = json_tokener_new();
    char *line;
    size_t length;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    while (buf_take_line(out, &line, &length)) {
        struct json_object *record = json_tokener_parse_ex(tokener, line, (int)length + 1);
        if (!record || !json_object_object_get_ex(record, "message", NULL))
            abort();
        json_object_put(record);
        json_tokener_reset(tokener);
    }
    if (out->length > 0)
        abort();
    json_tokener_free(tokener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF_INIT, chunks = BUF_INIT;
    if (size == 0)
        return 0;
    put(&whole, (const char *)data + 1, size - 1);
    put_in_chunks(&chunks, (const char *)data + 1, size - 1, *data + 1u);
    if (whole.length != chunks.length ||
        (whole.length > 0 && memcmp(whole.data, chunks.data, whole.length) != 0))
        abort();
    expect_records(&whole);
    buf_free(&whole);
    buf_free(&chunks);
    return 0;
}
