// Changes to Redis, in batches:
//
//   HSET <epochs> <id> <epoch>     what others see who cannot hear us now
//   SET | UNLINK ...               of each key what the store holds
//   SET <tag> <version> ...
//   PUBLISH <events> <message>     who hears it may ask for the new values
//
// Replies come in order, so that of PUBLISH says that the batch has arrived. What was in one that
// did not is sent again in a later one. All of it may be done twice, also late, when the network
// has it through at last: then our own message is heard, and says what to send once more.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "mirror_plan.h"
#include "mirror_state.h"
#include "mirror_value.h"

enum {
    BATCH_KEYS = 512,
    BATCH_BYTES = 1 << 20,     // of values
    BATCHES_MAX = 16,          // on their way; more wait in the queue, each key once
    ANNOUNCED_MAX = 256 << 10, // bytes
};

struct sent {
    struct mirror_change *change;
    bool is_refused;
};

struct batch {
    struct mirror *mirror;
    uint64_t epoch;
    struct buf announced; // what it took of the mirror's
    uint64_t tags[TAG_WORDS];
    size_t bytes;
    size_t count;
    struct sent sent[BATCH_KEYS];
};

// --- what there is to send ----------------------------------------------------------------------

// What was set after a deletion that is still owed would be deleted by it.
static bool may_send_keys(const struct mirror *mirror)
{
    return !mirror_owes(mirror) && mirror_queue_count(mirror->queue) > 0;
}

static bool has_work(const struct mirror *mirror)
{
    for (size_t i = 0; i < TAG_WORDS; ++i)
        if (mirror->changed_tags[i] != 0)
            return true;
    return may_send_keys(mirror) || mirror->announced.length > 0;
}

void mirror_send_soon(struct mirror *mirror)
{
    mirror->page->mirror.unsent = 1;
    if (redis_link_is_healthy(mirror->link) && !uv_is_active((uv_handle_t *)&mirror->sending))
        uv_prepare_start(&mirror->sending, mirror_on_sending);
}

void mirror_send_key(struct mirror *mirror, const char *key, size_t length,
                     enum mirror_change_kind kind)
{
    mirror_key_changed(mirror, key, length);
    bool has_room = mirror_queue_add(mirror->queue, key, length, kind);
    if (!has_room) { // one command may have more keys than there is room for
        mirror_send_now(mirror);
        has_room = mirror_queue_add(mirror->queue, key, length, kind);
    }
    if (!has_room)
        mirror_owe_everything(mirror);
    mirror_send_soon(mirror);
}

static bool take_tag_bit(uint64_t tags[TAG_WORDS], unsigned *slot)
{
    for (; *slot < SEGMENT_TAG_SLOTS_MIN; ++*slot)
        if (tags[*slot / 64] & UINT64_C(1) << *slot % 64)
            return true;
    return false;
}

static uint64_t now_us(void)
{
    return clock_wall_ms() * 1000;
}

// All that machines call by this number, also those whose names only others know.
void mirror_purge_tag(struct mirror *mirror, uint32_t slot)
{
    uint64_t *version = &mirror->tag_versions[slot];
    *version = *version < now_us() ? now_us() : *version + 1;
    mirror->changed_tags[slot / 64] |= UINT64_C(1) << slot % 64;
    store_purge_slot(mirror->store, slot);
    mirror_all_changed(mirror);
    mirror_send_soon(mirror);
}

// --- epochs -------------------------------------------------------------------------------------

static struct redis_word word(const char *text)
{
    return (struct redis_word){text, strlen(text)};
}

static void on_epoch_stored(void *context, const redisReply *reply)
{
    struct mirror *mirror = context;
    if (reply)
        mirror->is_epoch_refused = reply->type == REDIS_REPLY_ERROR;
}

static void store_epoch(struct mirror *mirror, uint64_t number)
{
    char epoch[24];
    snprintf(epoch, sizeof epoch, "%" PRIu64, number);
    struct redis_word words[] = {REDIS_WORD("HSET"), word(mirror->epochs_key), word(mirror->id),
                                 word(epoch)};
    redis_link_send(mirror->link, words, 4, false, on_epoch_stored, mirror);
}

void mirror_say_epoch(struct mirror *mirror)
{
    struct mirror_head head = {.id = mirror->page->mirror.id,
                               .previous = mirror->page->mirror.epoch,
                               .epoch = mirror->page->mirror.epoch};
    struct buf message = BUF_INIT;
    store_epoch(mirror, head.epoch);
    mirror_message_begin(&message, &head);
    redis_link_publish(mirror->link, message.data, message.length, NULL, NULL);
    buf_free(&message);
}

// Those of a process that was killed are no greater either, though the page has only what arrived.
void mirror_begin_epochs(struct mirror *mirror)
{
    if (mirror->epoch < now_us())
        mirror->epoch = now_us();
    mirror->greeting_epoch = mirror->epoch;
}

void mirror_send_again(struct mirror *mirror, const struct mirror_item *item)
{
    switch (item->kind) {
    case ITEM_KEY:
        mirror_send_key(mirror, item->bytes, item->length, CHANGE_WRITE);
        break;
    case ITEM_TAG:
        mirror->changed_tags[item->tag.slot / 64] |= UINT64_C(1) << item->tag.slot % 64;
        break;
    case ITEM_PATTERN:
    case ITEM_EVERYTHING:
        mirror_message_add(&mirror->announced, item->kind, item->bytes, item->length);
        break;
    }
    mirror_send_soon(mirror);
}

// --- more is written than Redis takes -----------------------------------------------------------

static bool is_crowded(const struct mirror *mirror)
{
    return redis_link_is_healthy(mirror->link) && !mirror_owes(mirror) &&
           mirror_queue_is_filling(mirror->queue);
}

void mirror_join_crowd(struct mirror *mirror, struct mirror_wait *wait)
{
    if (!is_crowded(mirror))
        return;
    if (mirror->crowd_count == mirror->crowd_size) {
        mirror->crowd_size = mirror->crowd_size > 0 ? 2 * mirror->crowd_size : 16;
        mirror->crowd = mem_realloc(mirror->crowd, mirror->crowd_size * sizeof *mirror->crowd);
    }
    mirror->crowd[mirror->crowd_count++] = wait;
    mirror_wait_add(wait);
}

// Who goes on may crowd again: those are another row.
void mirror_let_crowd_go(struct mirror *mirror, bool is_stuck)
{
    struct mirror_wait **crowd = mirror->crowd;
    size_t count = mirror->crowd_count;
    if (count == 0 || (!is_stuck && is_crowded(mirror)))
        return;
    mirror->crowd = NULL;
    mirror->crowd_count = mirror->crowd_size = 0;
    for (size_t i = 0; i < count; ++i)
        mirror_wait_done(crowd[i]);
    free(crowd);
}

// --- the end of a batch -------------------------------------------------------------------------

static void put_back(struct mirror *mirror, struct mirror_change *change)
{
    if (!mirror_queue_put_back(mirror->queue, change))
        mirror_owe_everything(mirror);
}

static void take_back(struct batch *batch)
{
    struct mirror *mirror = batch->mirror;
    mirror->stats.lost += batch->count;
    for (size_t i = 0; i < batch->count; ++i)
        put_back(mirror, batch->sent[i].change);
    for (size_t i = 0; i < TAG_WORDS; ++i)
        mirror->changed_tags[i] |= batch->tags[i];
    if (mirror->announced.length + batch->announced.length > ANNOUNCED_MAX)
        mirror_owe_everything(mirror);
    else
        buf_append(&mirror->announced, batch->announced.data, batch->announced.length);
}

static void on_arrived(struct batch *batch)
{
    struct mirror *mirror = batch->mirror;
    mirror->stats.sent += batch->count;
    mirror->page->mirror.epoch = batch->epoch;
    for (size_t i = 0; i < batch->count; ++i) {
        struct mirror_change *change = batch->sent[i].change;
        if (batch->sent[i].is_refused && change->kind == CHANGE_WRITE) {
            change->kind = CHANGE_DELETE;
            put_back(mirror, change);
        } else {
            free(change);
        }
    }
}

static void on_published(void *context, const redisReply *reply)
{
    struct batch *batch = context;
    struct mirror *mirror = batch->mirror;
    mirror->batches--;
    if (reply && reply->type == REDIS_REPLY_INTEGER)
        on_arrived(batch);
    else
        take_back(batch);
    buf_free(&batch->announced);
    free(batch);
    mirror_let_crowd_go(mirror, false);
    if (redis_link_is_healthy(mirror->link) && has_work(mirror))
        mirror_send_soon(mirror);
    mirror_note_unsent(mirror);
}

static void on_set(void *context, const redisReply *reply)
{
    struct sent *sent = context;
    sent->is_refused = reply && reply->type == REDIS_REPLY_ERROR; // full, or too large a value
}

// --- a batch ------------------------------------------------------------------------------------

static void send_unlink(struct mirror *mirror, const char *key, size_t length)
{
    struct redis_word words[] = {REDIS_WORD("UNLINK"), {key, length}};
    redis_link_send(mirror->link, words, 2, false, NULL, NULL);
}

// The envelope, as far as one is needed, and the value.
static void write_value(struct mirror *mirror, struct store_value *value, struct buf *out)
{
    struct mirror_tag tags[SEGMENT_TAGS_MAX];
    size_t count, length;
    const struct segment_tag *own = store_value_tags(mirror->store, value, &count);
    for (size_t i = 0; i < count; ++i) {
        uint16_t slot = (uint16_t)(own[i].slot % SEGMENT_TAG_SLOTS_MIN);
        tags[i] = (struct mirror_tag){slot, mirror->tag_versions[slot]};
    }
    struct store_value whole = *value;
    const char *first = store_next_piece(mirror->store, value, &length);
    mirror_value_wrap(out, tags, count, first, first ? length : 0);
    if (whole.length == 0) // perhaps there is no memory either
        return;
    char *to = buf_reserve(out, whole.length);
    store_copy(mirror->store, &whole, to);
    buf_commit(out, whole.length);
}

static void send_set(struct batch *batch, struct sent *sent, struct redis_word key,
                     struct store_value *value, uint64_t now_ms)
{
    struct buf bytes = BUF_INIT;
    char ttl[24];
    write_value(batch->mirror, value, &bytes);
    struct redis_word words[] = {
        REDIS_WORD("SET"), key, {bytes.data, bytes.length}, REDIS_WORD("PX"), {ttl, 0}};
    if (value->expires_ms != 0)
        words[4].length = (size_t)snprintf(ttl, sizeof ttl, "%" PRIu64, value->expires_ms - now_ms);
    redis_link_send(batch->mirror->link, words, value->expires_ms != 0 ? 5 : 3, false, on_set,
                    sent);
    batch->bytes += bytes.length;
    buf_free(&bytes);
}

static void send_change(struct batch *batch, struct sent *sent)
{
    struct mirror *mirror = batch->mirror;
    const struct mirror_change *change = sent->change;
    struct store_value value;
    size_t length;
    uint64_t now_ms = clock_wall_ms();
    if (change->kind == CHANGE_FORGET)
        (void)store_delete(mirror->store, change->key, change->length, now_ms);
    if (change->kind < CHANGE_WRITE)
        return;
    char *key = mirror_full_key(mirror, change->key, change->length, &length);
    if (change->kind == CHANGE_WRITE &&
        store_peek(mirror->store, change->key, change->length, now_ms, &value))
        send_set(batch, sent, (struct redis_word){key, length}, &value, now_ms);
    else
        send_unlink(mirror, key, length);
    free(key);
}

struct batch *mirror_batch_begin(struct mirror *mirror)
{
    struct batch *batch = mem_zalloc(1, sizeof *batch);
    mirror->epoch = mirror->epoch < now_us() ? now_us() : mirror->epoch + 1;
    batch->mirror = mirror;
    batch->epoch = mirror->epoch;
    store_epoch(mirror, batch->epoch);
    mirror->batches++;
    mirror->page->mirror.unsent = 1;
    return batch;
}

void mirror_batch_announce(struct batch *batch, const char *key, size_t length)
{
    struct mirror_change *change = mem_zalloc(1, sizeof *change + length);
    change->kind = CHANGE_ANNOUNCE;
    change->length = length;
    memcpy(change->key, key, length);
    if (batch->count < BATCH_KEYS)
        batch->sent[batch->count++].change = change;
    else
        put_back(batch->mirror, change);
}

void mirror_store_tag(struct mirror *mirror, unsigned slot)
{
    char *key = mem_printf("%s%stag:%u", mirror->config->prefix, MIRROR_RESERVED, slot);
    char version[24];
    snprintf(version, sizeof version, "%" PRIu64, mirror->tag_versions[slot]);
    struct redis_word words[] = {REDIS_WORD("SET"), word(key), word(version)};
    redis_link_send(mirror->link, words, 3, false, NULL, NULL);
    free(key);
}

static void send_tags(struct batch *batch, struct buf *message)
{
    struct mirror *mirror = batch->mirror;
    memcpy(batch->tags, mirror->changed_tags, sizeof batch->tags);
    memset(mirror->changed_tags, 0, sizeof mirror->changed_tags);
    for (unsigned slot = 0; take_tag_bit(batch->tags, &slot); ++slot) {
        struct mirror_tag tag = {(uint16_t)slot, mirror->tag_versions[slot]};
        mirror_store_tag(mirror, slot);
        mirror_message_add_tag(message, &tag);
    }
}

void mirror_batch_end(struct batch *batch)
{
    struct mirror *mirror = batch->mirror;
    struct mirror_head head = {.id = mirror->page->mirror.id,
                               .previous = mirror->page->mirror.epoch,
                               .epoch = batch->epoch};
    struct buf message = BUF_INIT;
    mirror_message_begin(&message, &head);
    send_tags(batch, &message);
    for (size_t i = 0; i < batch->count; ++i)
        mirror_message_add(&message, ITEM_KEY, batch->sent[i].change->key,
                           batch->sent[i].change->length);
    batch->announced = mirror->announced;
    mirror->announced = (struct buf)BUF_INIT;
    buf_append(&message, batch->announced.data, batch->announced.length);
    redis_link_publish(mirror->link, message.data, message.length, on_published, batch);
    buf_free(&message);
}

static void send_batch(struct mirror *mirror)
{
    struct batch *batch = mirror_batch_begin(mirror);
    while (may_send_keys(mirror) && batch->count < BATCH_KEYS && batch->bytes < BATCH_BYTES) {
        struct sent *sent = &batch->sent[batch->count++];
        sent->change = mirror_queue_take(mirror->queue);
        send_change(batch, sent);
    }
    mirror_batch_end(batch);
}

void mirror_on_sending(uv_prepare_t *prepare)
{
    struct mirror *mirror = prepare->data;
    uv_prepare_stop(prepare);
    while (redis_link_is_healthy(mirror->link) && mirror->batches < BATCHES_MAX && has_work(mirror))
        send_batch(mirror);
    mirror_note_unsent(mirror);
}

void mirror_send_now(struct mirror *mirror)
{
    while (redis_link_is_healthy(mirror->link) && has_work(mirror))
        send_batch(mirror);
}
