// Steps over the store. A visitor must not change the store, so what a step is to delete is noted
// first; nothing else runs within a step.
#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "common/glob.h"
#include "common/mem.h"
#include "reply.h"

enum { STEP_KEYS = 128, PATTERNS_MAX = 3 };

struct pattern {
    char *bytes;
    size_t length;
    bool is_prefix;
};

struct job {
    enum job_kind kind;
    size_t reply_max;
    struct pattern patterns[PATTERNS_MAX];
    size_t pattern_count;
    uint64_t cursor;
    uint64_t count;   // listed or deleted
    uint64_t purged;  // in Redis
    bool is_too_long; // the list
    struct buf found; // the elements of the list; or of this step, the keys to delete
};

struct job *job_new(enum job_kind kind, size_t reply_max)
{
    struct job *job = mem_zalloc(1, sizeof *job);
    job->kind = kind;
    job->reply_max = reply_max;
    return job;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    for (size_t i = 0; i < job->pattern_count; ++i)
        free(job->patterns[i].bytes);
    buf_free(&job->found);
    free(job);
}

static void add(struct job *job, const char *bytes, size_t length, bool is_prefix)
{
    struct pattern *pattern = &job->patterns[job->pattern_count++];
    pattern->bytes = mem_alloc(length + 1);
    memcpy(pattern->bytes, bytes, length);
    pattern->length = length;
    pattern->is_prefix = is_prefix;
}

void job_add_pattern(struct job *job, const char *pattern, size_t length)
{
    // "user:*", by far the most frequent kind, is a prefix.
    size_t literal = glob_literal_prefix(pattern, length);
    bool is_prefix = literal + 1 == length && pattern[literal] == '*';
    add(job, pattern, is_prefix ? literal : length, is_prefix);
}

void job_add_prefix(struct job *job, const char *prefix, size_t length)
{
    add(job, prefix, length, true);
}

void job_add_deleted(struct job *job, uint64_t deleted)
{
    job->count += deleted;
}

void job_set_purged(struct job *job, uint64_t purged)
{
    job->purged = purged;
}

static bool matches(const struct pattern *pattern, const char *key, size_t length)
{
    if (pattern->is_prefix)
        return length >= pattern->length && memcmp(key, pattern->bytes, pattern->length) == 0;
    return glob_match(pattern->bytes, pattern->length, key, length);
}

static void on_key(void *context, const char *key, size_t length)
{
    struct job *job = context;
    size_t i = 0;
    while (i < job->pattern_count && !matches(&job->patterns[i], key, length))
        ++i;
    if (i == job->pattern_count)
        return;
    if (job->kind == JOB_LIST) {
        reply_bulk(&job->found, key, length);
        job->count++;
    } else {
        buf_append(&job->found, &length, sizeof length);
        buf_append(&job->found, key, length);
    }
}

static void delete_found(struct job *job, struct store *store, uint64_t now_ms)
{
    while (job->found.length > 0) {
        size_t length;
        memcpy(&length, job->found.data, sizeof length);
        if (store_delete(store, job->found.data + sizeof length, length, now_ms))
            job->count++;
        buf_consume(&job->found, sizeof length + length);
    }
}

bool job_step(struct job *job, struct store *store, uint64_t now_ms)
{
    store_scan(store, &job->cursor, STEP_KEYS, now_ms, on_key, job);
    if (job->kind == JOB_DELETE)
        delete_found(job, store, now_ms);
    job->is_too_long = job->found.length > job->reply_max;
    return job->cursor != 0 && !job->is_too_long;
}

void job_reply(const struct job *job, struct buf *out)
{
    if (job->kind == JOB_DELETE) {
        reply_integer(out, (int64_t)(job->count > job->purged ? job->count : job->purged));
    } else if (job->is_too_long) {
        reply_error(out, "ERR the reply would be larger than %zu bytes, use SCAN", job->reply_max);
    } else {
        reply_array(out, job->count);
        buf_append(out, job->found.data, job->found.length);
    }
}
