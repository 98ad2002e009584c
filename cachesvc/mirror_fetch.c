// Waits, and values from Redis.
//
// A value and when it expires are two replies (PTTL, GET), and may be changed while they are on
// their way: by a command here, or by another machine, whose message may come before or after them.
// Either changes a number that was noted when the value was asked for; then it is asked for again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "mirror_state.h"
#include "mirror_value.h"

enum { FETCH_TRIES = 3 };

// --- waits --------------------------------------------------------------------------------------

struct mirror_wait {
    void (*on_ready)(void *context, const struct mirror_answer *answer); // NULL: cancelled
    void *context;
    unsigned open; // things it waits for
    bool has_begun, has_reply;
    struct buf reply;
    uint64_t purged;
};

struct mirror_wait *mirror_wait_new(void)
{
    return mem_zalloc(1, sizeof(struct mirror_wait));
}

void mirror_on_ready(struct mirror_wait *wait,
                     void (*on_ready)(void *context, const struct mirror_answer *answer),
                     void *context)
{
    wait->on_ready = on_ready;
    wait->context = context;
}

static void free_wait(struct mirror_wait *wait)
{
    buf_free(&wait->reply);
    free(wait);
}

struct mirror_wait *mirror_wait_begin(struct mirror_wait *wait)
{
    wait->has_begun = true;
    if (wait->open > 0)
        return wait;
    free_wait(wait);
    return NULL;
}

void mirror_wait_add(struct mirror_wait *wait)
{
    wait->open++;
}

void mirror_wait_done(struct mirror_wait *wait)
{
    if (--wait->open > 0 || !wait->has_begun)
        return;
    struct mirror_answer answer = {.reply = wait->has_reply ? &wait->reply : NULL,
                                   .purged = wait->purged};
    if (wait->on_ready)
        wait->on_ready(wait->context, &answer);
    free_wait(wait);
}

void mirror_wait_add_purged(struct mirror_wait *wait, uint64_t count)
{
    wait->purged += count;
}

struct buf *mirror_wait_reply(struct mirror_wait *wait)
{
    wait->has_reply = true;
    return &wait->reply;
}

void mirror_cancel(struct mirror_wait *wait)
{
    wait->on_ready = NULL;
}

// --- fetching -----------------------------------------------------------------------------------

struct fetch {
    struct mirror *mirror;
    struct mirror_wait *wait;
    uint32_t changes, all_changes; // when it was asked for
    unsigned tries;
    bool has_ttl;
    long long ttl_ms;
    size_t length;
    char key[];
};

static uint32_t changes_of(const struct fetch *fetch)
{
    return fetch->mirror->changes[segment_hash(fetch->key, fetch->length) % CHANGE_SLOTS];
}

static bool was_changed(const struct fetch *fetch)
{
    return fetch->changes != changes_of(fetch) || fetch->all_changes != fetch->mirror->all_changes;
}

bool mirror_knows_tag(const struct mirror *mirror, const struct mirror_tag *tag)
{
    return mirror->tag_versions[tag->slot] == tag->version;
}

// What it is here; false: it was purged, or is to be, or is nothing of ours.
static bool store_fetched(const struct fetch *fetch, const redisReply *reply)
{
    struct mirror *mirror = fetch->mirror;
    struct mirror_value value;
    struct segment_tag tags[SEGMENT_TAGS_MAX];
    struct err err;
    uint64_t now_ms = clock_wall_ms();
    if (mirror_is_doomed(mirror, fetch->key, fetch->length) ||
        !mirror_value_unwrap(reply->str, (size_t)reply->len, &value))
        return false;
    for (size_t i = 0; i < value.tag_count; ++i) {
        if (!mirror_knows_tag(mirror, &value.tags[i]))
            return false;
        tags[i] = store_tag_of_slot(mirror->store, value.tags[i].slot);
    }
    struct store_set set = {.key = fetch->key,
                            .key_length = fetch->length,
                            .value = value.bytes,
                            .length = value.length,
                            .expires_ms = fetch->ttl_ms < 0 ? 0 : now_ms + (uint64_t)fetch->ttl_ms,
                            .tags = tags,
                            .tag_count = value.tag_count};
    return store_set(mirror->store, &set, now_ms, &err) == 0;
}

static void on_ttl(void *context, const redisReply *reply)
{
    enum { GONE = -2 };
    struct fetch *fetch = context;
    fetch->has_ttl = reply && reply->type == REDIS_REPLY_INTEGER && reply->integer != GONE;
    fetch->ttl_ms = fetch->has_ttl ? reply->integer : 0;
}

static void ask(struct fetch *fetch);

static void on_value(void *context, const redisReply *reply)
{
    struct fetch *fetch = context;
    struct mirror_wait *wait = fetch->wait;
    bool is_there = reply && reply->type == REDIS_REPLY_STRING && fetch->has_ttl;
    if (is_there && was_changed(fetch)) {
        is_there = false;
        if (++fetch->tries < FETCH_TRIES) {
            ask(fetch);
            return;
        }
    }
    if (is_there && store_fetched(fetch, reply))
        fetch->mirror->stats.found++;
    free(fetch);
    mirror_wait_done(wait);
}

static void ask(struct fetch *fetch)
{
    struct mirror *mirror = fetch->mirror;
    size_t length;
    char *key = mirror_full_key(mirror, fetch->key, fetch->length, &length);
    struct redis_word ttl[] = {REDIS_WORD("PTTL"), {key, length}};
    struct redis_word get[] = {REDIS_WORD("GET"), {key, length}};
    fetch->changes = changes_of(fetch);
    fetch->all_changes = mirror->all_changes;
    redis_link_send(mirror->link, ttl, 2, true, on_ttl, fetch);
    redis_link_send(mirror->link, get, 2, true, on_value, fetch);
    free(key);
}

void mirror_fetch(struct mirror *mirror, const char *key, size_t length, struct mirror_wait *wait)
{
    struct fetch *fetch = mem_zalloc(1, sizeof *fetch + length);
    fetch->mirror = mirror;
    fetch->wait = wait;
    fetch->length = length;
    memcpy(fetch->key, key, length);
    mirror->stats.fetched++;
    mirror_wait_add(wait);
    ask(fetch);
}
