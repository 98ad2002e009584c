// What Redis has no command for: tags, invalidation, locks that can be waited for.
//
// The lock of a key is the key "lock:<key>" with the holder's token as its value. So KEYS, TTL and
// DEL work on locks too, and SET lock:<key> <token> NX PX <ms> takes the same one.
#include "handlers.h"

#include <stdio.h>
#include <string.h>

static const char lock_prefix[] = "lock:";
enum { LOCK_PREFIX_LENGTH = sizeof lock_prefix - 1 };

// --- many keys at once --------------------------------------------------------------------------

static void start_job(struct request *request, struct job *job)
{
    job_set_purged(job, request->purged);
    request->job = job;
    request->after = AFTER_JOB;
}

void command_cache_delpattern(struct request *request)
{
    const struct resp_arg *pattern = &request->args[1];
    struct job *job = job_new(JOB_DELETE, request->service->reply_max);
    job_add_pattern(job, pattern->bytes, pattern->length);
    start_job(request, job);
}

static void add_prefix(struct job *job, const char *before, const struct resp_arg *resource,
                       const struct resp_arg *id)
{
    struct buf prefix = BUF_INIT;
    buf_append_text(&prefix, before);
    buf_append(&prefix, resource->bytes, resource->length);
    if (id) {
        buf_append(&prefix, ":", 1);
        buf_append(&prefix, id->bytes, id->length);
        buf_append(&prefix, ":", 1);
    }
    job_add_prefix(job, prefix.data, prefix.length);
    buf_free(&prefix);
}

// resource:id, which goes at once; resource:id:*, list:resource*, query:resource*. Both names stand
// for themselves, whatever is in them.
void command_cache_invalidate(struct request *request)
{
    const struct resp_arg *resource = &request->args[1], *id = &request->args[2];
    struct buf *key = &request->service->scratch;
    struct job *job = job_new(JOB_DELETE, request->service->reply_max);
    buf_consume(key, key->length);
    buf_append(key, resource->bytes, resource->length);
    buf_append(key, ":", 1);
    buf_append(key, id->bytes, id->length);
    job_add_deleted(job, store_delete(request->store, key->data, key->length, request->now_ms));
    add_prefix(job, "", resource, id);
    add_prefix(job, "list:", resource, NULL);
    add_prefix(job, "query:", resource, NULL);
    start_job(request, job);
}

// --- tags ---------------------------------------------------------------------------------------

struct tags {
    struct segment_tag tags[SEGMENT_TAGS_MAX];
    size_t count;
};

// false: the error is replied.
static bool add_tag(struct request *request, struct tags *tags, const struct resp_arg *name)
{
    struct segment_tag tag = store_tag(request->store, name->bytes, name->length);
    for (size_t i = 0; i < tags->count; ++i)
        if (tags->tags[i].slot == tag.slot)
            return true;
    if (tags->count == SEGMENT_TAGS_MAX) {
        reply_error(request->out, "ERR a key can have %d tags at most", SEGMENT_TAGS_MAX);
        return false;
    }
    tags->tags[tags->count++] = tag;
    return true;
}

// TAGS n tag...: *at stands at n and moves to the last tag.
static bool read_tags(struct request *request, size_t *at, struct tags *tags)
{
    int64_t count;
    if (*at >= request->count) {
        reply_syntax_error(request);
        return false;
    }
    if (!arg_integer(request, *at, &count))
        return false;
    if (count < 0 || (uint64_t)count > request->count - 1 - *at) {
        reply_error(request->out, "ERR Number of tags can't be greater than number of args");
        return false;
    }
    for (; count > 0; --count)
        if (!add_tag(request, tags, &request->args[++*at]))
            return false;
    return true;
}

// CACHE.SET key value [PX ms] [TAGS n tag...]
void command_cache_set(struct request *request)
{
    struct tags tags = {.count = 0};
    const struct resp_arg *key = &request->args[1], *value = &request->args[2];
    struct store_set set = {.key = key->bytes,
                            .key_length = key->length,
                            .value = value->bytes,
                            .length = value->length,
                            .tags = tags.tags};
    for (size_t at = 3; at < request->count; ++at) {
        if (arg_is(&request->args[at], "px") && at + 1 < request->count) {
            if (!arg_expiry(request, ++at, EXPIRE_PX, &set.expires_ms))
                return;
        } else if (arg_is(&request->args[at], "tags")) {
            ++at;
            if (!read_tags(request, &at, &tags))
                return;
        } else {
            reply_syntax_error(request);
            return;
        }
    }
    set.tag_count = tags.count;
    if (value_store(request, &set))
        reply_simple(request->out, "OK");
}

// CACHE.TAG key tag [tag...]: 1, or 0 when the key is not there. It keeps the tags that it has.
void command_cache_tag(struct request *request)
{
    struct store_value value;
    struct tags tags;
    const struct resp_arg *key = &request->args[1];
    if (!value_find(request, 1, &value)) {
        reply_integer(request->out, 0);
        return;
    }
    const struct segment_tag *old = store_value_tags(request->store, &value, &tags.count);
    memcpy(tags.tags, old, tags.count * sizeof *old);
    for (size_t i = 2; i < request->count; ++i)
        if (!add_tag(request, &tags, &request->args[i]))
            return;
    struct store_set set = {.key = key->bytes,
                            .key_length = key->length,
                            .value = value_load(request, &value, 0),
                            .length = value.length,
                            .expires_ms = value.expires_ms,
                            .tags = tags.tags,
                            .tag_count = tags.count};
    if (value_store(request, &set))
        reply_integer(request->out, 1);
}

void command_cache_purgetag(struct request *request)
{
    for (size_t i = 1; i < request->count; ++i)
        store_purge_tag(request->store, request->args[i].bytes, request->args[i].length);
    reply_simple(request->out, "OK");
}

// --- locks --------------------------------------------------------------------------------------

// The key of the lock of args[1], in the scratch buffer.
static struct resp_arg lock_of(struct request *request)
{
    struct buf *key = &request->service->scratch;
    buf_consume(key, key->length);
    buf_append(key, lock_prefix, LOCK_PREFIX_LENGTH);
    buf_append(key, request->args[1].bytes, request->args[1].length);
    return (struct resp_arg){.bytes = key->data, .length = key->length};
}

static bool holds(const struct store *store, struct store_value value, const struct resp_arg *token)
{
    size_t at = 0, length;
    const char *piece;
    if (value.length != token->length)
        return false;
    while ((piece = store_next_piece(store, &value, &length)) != NULL) {
        if (memcmp(piece, token->bytes + at, length) != 0)
            return false;
        at += length;
    }
    return true;
}

// *is_ours (may be NULL): with the token args[2].
static bool is_locked(const struct request *request, const struct resp_arg *lock, bool *is_ours)
{
    struct store_value value;
    if (!store_peek(request->store, lock->bytes, lock->length, request->now_ms, &value))
        return false;
    if (is_ours)
        *is_ours = holds(request->store, value, &request->args[2]);
    return true;
}

// CACHE.LOCK key token ms [SESSION]: 1 when the lock is ours now, or was already (it is prolonged
// then). With SESSION it also ends with the connection.
void command_cache_lock(struct request *request)
{
    const struct resp_arg *token = &request->args[2];
    struct store_set set = {.value = token->bytes, .length = token->length};
    bool is_ours = true, of_session = request->count == 5;
    if (request->count > 5 || (of_session && !arg_is(&request->args[4], "session"))) {
        reply_error(request->out, "ERR syntax error");
        return;
    }
    if (!arg_expiry(request, 3, EXPIRE_PX, &set.expires_ms))
        return;
    struct resp_arg lock = lock_of(request);
    set.key = lock.bytes;
    set.key_length = lock.length;
    if (is_locked(request, &lock, &is_ours) && !is_ours)
        reply_integer(request->out, 0);
    else if (value_store(request, &set)) {
        reply_integer(request->out, 1);
        if (of_session)
            session_add_lock(request->session, lock.bytes, lock.length, token->bytes,
                             token->length);
    }
}

void cache_release_locks(struct service *service, struct session *session, uint64_t now_ms)
{
    for (struct session_lock *lock = session->locks; lock; lock = lock->next) {
        struct resp_arg token = {.bytes = lock->token, .length = lock->token_length};
        struct store_value value;
        if (!store_peek(service->store, lock->key, lock->key_length, now_ms, &value) ||
            !holds(service->store, value, &token))
            continue;
        store_delete(service->store, lock->key, lock->key_length, now_ms);
        waiters_release(&service->waiters, lock->key, lock->key_length);
    }
}

// CACHE.UNLOCK key token: 1 when it was ours.
void command_cache_unlock(struct request *request)
{
    struct resp_arg lock = lock_of(request);
    bool is_ours = false;
    bool unlocked = is_locked(request, &lock, &is_ours) && is_ours;
    if (unlocked) {
        session_drop_lock(request->session, lock.bytes, lock.length);
        store_delete(request->store, lock.bytes, lock.length, request->now_ms);
        waiters_release(&request->service->waiters, lock.bytes, lock.length);
    }
    reply_integer(request->out, unlocked);
}

// CACHE.WAIT key ms: 1 as soon as nobody has the lock, 0 after that time.
void command_cache_wait(struct request *request)
{
    int64_t wait_ms;
    if (!arg_integer(request, 2, &wait_ms))
        return;
    if (wait_ms < 0 || wait_ms > WAIT_MAX_MS) {
        reply_error(request->out, "ERR timeout is out of range");
        return;
    }
    struct resp_arg lock = lock_of(request);
    if (!is_locked(request, &lock, NULL)) {
        reply_integer(request->out, 1);
        return;
    }
    request->after = AFTER_WAIT;
    request->wait_key = lock;
    request->wait_ms = (uint64_t)wait_ms;
}

// --- numbers ------------------------------------------------------------------------------------

void command_cache_stats(struct request *request)
{
    const struct service *service = request->service;
    struct store_stats stats;
    char text[32];
    store_stats(request->store, &stats);
    uint64_t reads = stats.hits + stats.misses;
    reply_array(request->out, 16);
    reply_bulk_text(request->out, "healthy");
    reply_integer(request->out, 1);
    reply_bulk_text(request->out, "keys");
    reply_integer(request->out, (int64_t)stats.keys);
    reply_bulk_text(request->out, "memory");
    snprintf(text, sizeof text, "%.2f MB", (double)stats.used / (1 << 20));
    reply_bulk_text(request->out, text);
    reply_bulk_text(request->out, "hits");
    reply_integer(request->out, (int64_t)stats.hits);
    reply_bulk_text(request->out, "misses");
    reply_integer(request->out, (int64_t)stats.misses);
    reply_bulk_text(request->out, "hitRate");
    snprintf(text, sizeof text, "%.2f%%",
             reads > 0 ? 100.0 * (double)stats.hits / (double)reads : 0.0);
    reply_bulk_text(request->out, text);
    reply_bulk_text(request->out, "connections");
    reply_integer(request->out, (int64_t)service->sessions.count);
    reply_bulk_text(request->out, "uptime");
    reply_integer(request->out, request->now_ms > service->started_ms
                                    ? (int64_t)((request->now_ms - service->started_ms) / 1000)
                                    : 0);
}
