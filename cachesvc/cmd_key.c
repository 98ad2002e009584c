// Keys as such: whether they are there, which there are, what they are called.
#include "handlers.h"

#include <string.h>

#include "common/glob.h"
#include "number.h"

enum {
    SCAN_COUNT = 10,
    SCAN_COUNT_MAX = 10000, // COUNT is a hint; more would keep others waiting
};

void command_del(struct request *request)
{
    int64_t deleted = 0;
    for (size_t i = 1; i < request->count; ++i)
        deleted += store_delete(request->store, request->args[i].bytes, request->args[i].length,
                                request->now_ms);
    reply_integer(request->out, deleted);
}

void command_exists(struct request *request)
{
    struct store_value value;
    int64_t found = 0;
    for (size_t i = 1; i < request->count; ++i)
        found += value_find(request, i, &value);
    reply_integer(request->out, found);
}

void command_touch(struct request *request)
{
    struct store_value value;
    int64_t found = 0;
    for (size_t i = 1; i < request->count; ++i) {
        const struct resp_arg *key = &request->args[i];
        if (!value_find(request, i, &value))
            continue;
        store_touch(request->store, segment_hash(key->bytes, key->length));
        found++;
    }
    reply_integer(request->out, found);
}

void command_type(struct request *request)
{
    struct store_value value;
    reply_simple(request->out, value_find(request, 1, &value) ? "string" : "none");
}

void command_dbsize(struct request *request)
{
    struct store_stats stats;
    store_stats(request->store, &stats);
    reply_integer(request->out, (int64_t)stats.keys);
}

// FLUSHDB, FLUSHALL: there is one database. ASYNC and SYNC are the same.
void command_flush(struct request *request)
{
    if (request->count > 2 || (request->count == 2 && !arg_is(&request->args[1], "sync") &&
                               !arg_is(&request->args[1], "async"))) {
        reply_syntax_error(request);
        return;
    }
    store_flush(request->store);
    reply_simple(request->out, "OK");
}

void command_memory_usage(struct request *request)
{
    struct store_value value;
    int64_t samples;
    for (size_t i = 3; i < request->count; i += 2) {
        if (!arg_is(&request->args[i], "samples") || i + 1 == request->count) {
            reply_syntax_error(request);
            return;
        }
        if (!arg_integer(request, i + 1, &samples))
            return;
        if (samples < 0) {
            reply_syntax_error(request);
            return;
        }
    }
    if (value_find(request, 2, &value))
        reply_integer(request->out, (int64_t)store_value_memory(request->store, &value));
    else
        reply_null_bulk(request->out);
}

// --- renaming -----------------------------------------------------------------------------------

static bool is_same(const struct resp_arg *a, const struct resp_arg *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

// false: the error is replied, nothing is changed.
static bool move(struct request *request, const struct store_value *value)
{
    const struct resp_arg *from = &request->args[1];
    struct resp_arg bytes = {.bytes = value_load(request, value, 0), .length = value->length};
    if (!value_change(request, 2, value, &bytes))
        return false;
    store_delete(request->store, from->bytes, from->length, request->now_ms);
    return true;
}

void command_rename(struct request *request)
{
    struct store_value value;
    if (!value_find(request, 1, &value))
        reply_error(request->out, "ERR no such key");
    else if (is_same(&request->args[1], &request->args[2]) || move(request, &value))
        reply_simple(request->out, "OK");
}

void command_renamenx(struct request *request)
{
    struct store_value value, other;
    if (!value_find(request, 1, &value))
        reply_error(request->out, "ERR no such key");
    else if (value_find(request, 2, &other))
        reply_integer(request->out, 0);
    else if (value_find(request, 1, &value) && move(request, &value))
        reply_integer(request->out, 1);
}

// --- which there are ----------------------------------------------------------------------------

void command_keys(struct request *request)
{
    const struct resp_arg *pattern = &request->args[1];
    request->job = job_new(JOB_LIST, request->service->reply_max);
    job_add_pattern(request->job, pattern->bytes, pattern->length);
    request->after = AFTER_JOB;
}

struct scan {
    uint64_t cursor;
    int64_t count;
    const struct resp_arg *pattern; // NULL: all
    bool is_other_type;
    struct buf *found;
    size_t found_count;
};

static bool read_cursor(struct request *request, uint64_t *cursor)
{
    const struct resp_arg *arg = &request->args[1];
    bool is_number = arg->length > 0 && arg->length <= 20;
    uint64_t value = 0;
    for (size_t i = 0; is_number && i < arg->length; ++i) {
        is_number = (unsigned char)(arg->bytes[i] - '0') < 10;
        value = value * 10 + (uint64_t)(arg->bytes[i] - '0');
    }
    if (!is_number)
        reply_error(request->out, "ERR invalid cursor");
    *cursor = value;
    return is_number;
}

static bool read_scan_count(struct request *request, size_t index, int64_t *count)
{
    if (!arg_integer(request, index, count))
        return false;
    if (*count < 1) {
        reply_syntax_error(request);
        return false;
    }
    if (*count > SCAN_COUNT_MAX)
        *count = SCAN_COUNT_MAX;
    return true;
}

static bool read_scan(struct request *request, struct scan *scan)
{
    if (!read_cursor(request, &scan->cursor))
        return false;
    for (size_t i = 2; i < request->count; i += 2) {
        const struct resp_arg *option = &request->args[i];
        if (i + 1 < request->count && arg_is(option, "count")) {
            if (!read_scan_count(request, i + 1, &scan->count))
                return false;
        } else if (i + 1 < request->count && arg_is(option, "match")) {
            scan->pattern = option + 1;
        } else if (i + 1 < request->count && arg_is(option, "type")) {
            scan->is_other_type = !arg_is(option + 1, "string");
        } else {
            reply_syntax_error(request);
            return false;
        }
    }
    return true;
}

static void on_scanned(void *context, const char *key, size_t length)
{
    struct scan *scan = context;
    if (scan->is_other_type ||
        (scan->pattern && !glob_match(scan->pattern->bytes, scan->pattern->length, key, length)))
        return;
    reply_bulk(scan->found, key, length);
    scan->found_count++;
}

void command_scan(struct request *request)
{
    char text[NUMBER_SIZE];
    struct buf *found = &request->service->scratch;
    struct scan scan = {.count = SCAN_COUNT, .found = found};
    buf_consume(found, found->length);
    if (!read_scan(request, &scan))
        return;
    store_scan(request->store, &scan.cursor, (size_t)scan.count, request->now_ms, on_scanned,
               &scan);
    reply_array(request->out, 2);
    reply_bulk(request->out, text, number_format((int64_t)scan.cursor, text));
    reply_array(request->out, scan.found_count);
    buf_append(request->out, found->data, found->length);
}
