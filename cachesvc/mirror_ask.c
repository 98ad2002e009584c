// Commands that Redis does, since two machines may do the same at once.
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mirror_plan.h"
#include "mirror_state.h"
#include "mirror_value.h"
#include "reply.h"

struct ask {
    struct mirror *mirror;
    struct mirror_wait *wait;
    size_t count; // keys, which lie one after the other: length, bytes
    struct buf keys;
};

// Nobody has purged one of its tags.
static bool is_valid(const struct mirror *mirror, const struct mirror_value *value)
{
    for (size_t i = 0; i < value->tag_count; ++i)
        if (!mirror_knows_tag(mirror, &value->tags[i]))
            return false;
    return true;
}

static void reply_as_is(const struct mirror *mirror, struct buf *out, const redisReply *reply)
{
    struct mirror_value value;
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        reply_integer(out, reply->integer);
        break;
    case REDIS_REPLY_STATUS:
        reply_simple(out, reply->str);
        break;
    case REDIS_REPLY_ERROR:
        reply_error(out, "%s", reply->str);
        break;
    case REDIS_REPLY_STRING:
        if (mirror_value_unwrap(reply->str, (size_t)reply->len, &value) && is_valid(mirror, &value))
            reply_bulk(out, value.bytes, value.length);
        else
            reply_null_bulk(out);
        break;
    case REDIS_REPLY_ARRAY:
        reply_array(out, reply->elements);
        for (size_t i = 0; i < reply->elements; ++i)
            reply_as_is(mirror, out, reply->element[i]);
        break;
    default:
        reply_null_bulk(out);
        break;
    }
}

// Here the keys are dropped: who reads them next asks Redis.
static void drop_keys(struct ask *ask)
{
    size_t length;
    for (size_t at = 0; at < ask->keys.length; at += sizeof length + length) {
        memcpy(&length, ask->keys.data + at, sizeof length);
        const char *key = ask->keys.data + at + sizeof length;
        mirror_key_dropped(ask->mirror, key, length);
    }
}

// It is full, its user may not, or it is too old to know the command: that is done here then.
static bool is_unable(const redisReply *reply)
{
    static const char *const errors[] = {"OOM", "NOPERM", "ERR unknown command"};
    for (size_t i = 0; reply->type == REDIS_REPLY_ERROR && i < sizeof errors / sizeof *errors; ++i)
        if (strncmp(reply->str, errors[i], strlen(errors[i])) == 0)
            return true;
    return false;
}

static void on_asked(void *context, const redisReply *reply)
{
    struct ask *ask = context;
    struct mirror_wait *wait = ask->wait;
    if (reply && !is_unable(reply)) {
        drop_keys(ask);
        reply_as_is(ask->mirror, mirror_wait_reply(wait), reply);
        ask->mirror->stats.asked++;
    }
    buf_free(&ask->keys);
    free(ask);
    mirror_wait_done(wait);
}

static void note_key(struct ask *ask, const struct resp_arg *key)
{
    buf_append(&ask->keys, &key->length, sizeof key->length);
    buf_append(&ask->keys, key->bytes, key->length);
}

// The words of a command as Redis gets them: keys with our prefix, and values that would be taken
// for an envelope in one.
struct request_words {
    struct redis_word *words;
    struct buf *owned; // of words that are not the client's
    size_t count;
};

static void wrap_word(struct request_words *request, size_t at)
{
    const struct redis_word value = request->words[at];
    struct buf *owned = &request->owned[at];
    mirror_value_wrap(owned, NULL, 0, value.bytes, value.length);
    if (owned->length == 0)
        return;
    buf_append(owned, value.bytes, value.length);
    request->words[at] = (struct redis_word){owned->data, owned->length};
}

static void prefix_word(const struct mirror *mirror, struct request_words *request, size_t at)
{
    struct buf *owned = &request->owned[at];
    buf_append_text(owned, mirror->config->prefix);
    buf_append(owned, request->words[at].bytes, request->words[at].length);
    request->words[at] = (struct redis_word){owned->data, owned->length};
}

static void make_words(const struct mirror *mirror, const struct command *command,
                       const struct resp_arg *args, size_t count, struct request_words *request)
{
    bool has_values = command->flags & COMMAND_DENYOOM && !(command->flags & COMMAND_ADDS);
    request->count = count;
    request->words = mem_alloc(count * sizeof *request->words);
    request->owned = mem_zalloc(count, sizeof *request->owned);
    for (size_t i = 0; i < count; ++i)
        request->words[i] = (struct redis_word){args[i].bytes, args[i].length};
    for (size_t at = mirror_first_key(command); at != 0; at = mirror_next_key(command, at, count)) {
        prefix_word(mirror, request, at);
        if (has_values && at + 1 < count) // SET, SETNX, GETSET, MSETNX: behind its key
            wrap_word(request, at + 1);
    }
}

static void free_words(struct request_words *request)
{
    for (size_t i = 0; i < request->count; ++i)
        buf_free(&request->owned[i]);
    free(request->owned);
    free(request->words);
}

// What was changed here before goes first; then the command, if it changes something in a batch of
// its own, so that others hear of it.
void mirror_ask(struct mirror *mirror, const struct command *command, const struct resp_arg *args,
                size_t count, struct mirror_wait *wait)
{
    struct request_words request;
    struct ask *ask = mem_zalloc(1, sizeof *ask);
    bool is_read = command->flags & COMMAND_READONLY;
    mirror_send_now(mirror);
    struct batch *batch = is_read ? NULL : mirror_batch_begin(mirror);
    make_words(mirror, command, args, count, &request);
    ask->mirror = mirror;
    ask->wait = wait;
    for (size_t at = is_read ? 0 : mirror_first_key(command); at != 0;
         at = mirror_next_key(command, at, count)) {
        note_key(ask, &args[at]);
        mirror_batch_announce(batch, args[at].bytes, args[at].length);
    }
    mirror_wait_add(wait);
    redis_link_send(mirror->link, request.words, count, true, on_asked, ask);
    if (batch)
        mirror_batch_end(batch);
    free_words(&request);
}
