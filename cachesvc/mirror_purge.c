// Patterns: SCAN and UNLINK, a step at a time. KEYS would keep everybody else waiting.
//
// What has to be deleted while Redis is away is owed: patterns up to OWED_MAX, then everything. It
// is paid one after the other when Redis is back, and tried again with each heartbeat. Nobody waits
// for that, so no step of it is ever too late: of a million keys one always would be. Changed keys
// wait until then, lest what was set after a deletion is deleted by it.
#include <stdlib.h>
#include <string.h>

#include "common/glob.h"
#include "common/mem.h"
#include "mirror_plan.h"
#include "mirror_state.h"

enum { OWED_MAX = 64 };

struct mirror_purge {
    struct mirror *mirror;
    struct mirror_purge *next;
    struct mirror_wait *wait; // NULL: nobody waits
    struct buf match;         // prefix and pattern
    struct buf cursor;
    uint64_t deleted;
    size_t length;
    char pattern[];
};

static bool is_everything(const struct mirror_purge *purge)
{
    return purge->length == 1 && purge->pattern[0] == '*';
}

static struct mirror_purge *new_purge(struct mirror *mirror, const char *pattern, size_t length)
{
    struct mirror_purge *purge = mem_zalloc(1, sizeof *purge + length);
    purge->mirror = mirror;
    purge->length = length;
    memcpy(purge->pattern, pattern, length);
    return purge;
}

static void free_purge(struct mirror_purge *purge)
{
    buf_free(&purge->match);
    buf_free(&purge->cursor);
    free(purge);
}

// --- owing --------------------------------------------------------------------------------------

static void forget_owed(struct mirror *mirror)
{
    struct mirror_purge *first;
    while ((first = mirror->owed) != NULL) {
        mirror->owed = first->next;
        free_purge(first);
    }
    mirror->owed_count = 0;
}

// What is in the queue may have been set since, and is sent when that is paid.
static void owe_all_patterns(struct mirror *mirror)
{
    forget_owed(mirror);
    mirror->owes_everything = true;
    mirror->page->mirror.unsent = 1;
}

void mirror_owe_everything(struct mirror *mirror)
{
    mirror_queue_clear(mirror->queue);
    owe_all_patterns(mirror);
}

void mirror_owe(struct mirror *mirror, const char *pattern, size_t length)
{
    struct mirror_purge *purge = new_purge(mirror, pattern, length);
    struct mirror_purge **end = &mirror->owed;
    if (mirror->owes_everything || mirror->owed_count == OWED_MAX || is_everything(purge)) {
        free_purge(purge);
        owe_all_patterns(mirror);
        return;
    }
    while (*end)
        end = &(*end)->next;
    *end = purge;
    mirror->owed_count++;
    mirror->page->mirror.unsent = 1;
}

bool mirror_owes(const struct mirror *mirror)
{
    return mirror->owes_everything || mirror->owed || mirror->purging;
}

static bool purges(const struct mirror_purge *purge, const char *key, size_t length)
{
    return glob_match(purge->pattern, purge->length, key, length);
}

bool mirror_is_doomed(const struct mirror *mirror, const char *key, size_t length)
{
    if (mirror->owes_everything || (mirror->purging && purges(mirror->purging, key, length)))
        return true;
    for (const struct mirror_purge *purge = mirror->owed; purge; purge = purge->next)
        if (purges(purge, key, length))
            return true;
    return false;
}

void mirror_purge_fini(struct mirror *mirror)
{
    forget_owed(mirror);
}

// --- the steps ----------------------------------------------------------------------------------

static void announce(struct mirror *mirror, const struct mirror_purge *purge)
{
    if (is_everything(purge))
        mirror_message_add(&mirror->announced, ITEM_EVERYTHING, "", 0);
    else
        mirror_message_add(&mirror->announced, ITEM_PATTERN, purge->pattern, purge->length);
    mirror_send_soon(mirror);
}

// Who fetched a value before it was deleted does not keep it.
static void end(struct mirror_purge *purge, bool is_done)
{
    struct mirror *mirror = purge->mirror;
    struct mirror_wait *wait = purge->wait;
    bool was_owed = mirror->purging == purge;
    mirror->purges--;
    mirror_all_changed(mirror);
    if (was_owed)
        mirror->purging = NULL;
    if (is_done)
        announce(mirror, purge);
    else
        mirror_owe(mirror, purge->pattern, purge->length);
    if (wait)
        mirror_wait_add_purged(wait, purge->deleted);
    free_purge(purge);
    if (was_owed && is_done)
        mirror_pay(mirror);
    mirror_note_unsent(mirror);
    if (wait)
        mirror_wait_done(wait);
}

static void step(struct mirror_purge *purge);

static void go_on(struct mirror_purge *purge)
{
    if (purge->cursor.length == 1 && purge->cursor.data[0] == '0')
        end(purge, true);
    else
        step(purge);
}

static void on_unlinked(void *context, const redisReply *reply)
{
    struct mirror_purge *purge = context;
    if (!reply || reply->type != REDIS_REPLY_INTEGER) {
        end(purge, false);
        return;
    }
    purge->deleted += (uint64_t)reply->integer;
    go_on(purge);
}

static bool is_ours_to_delete(const struct mirror_purge *purge, const redisReply *key)
{
    size_t prefix = strlen(purge->mirror->config->prefix);
    return key->type == REDIS_REPLY_STRING && (size_t)key->len >= prefix &&
           !mirror_is_reserved(key->str + prefix, (size_t)key->len - prefix);
}

static void unlink_found(struct mirror_purge *purge, const redisReply *keys)
{
    struct redis_word *words = mem_alloc((keys->elements + 1) * sizeof *words);
    size_t count = 0;
    words[count++] = REDIS_WORD("UNLINK");
    for (size_t i = 0; i < keys->elements; ++i)
        if (is_ours_to_delete(purge, keys->element[i]))
            words[count++] =
                (struct redis_word){keys->element[i]->str, (size_t)keys->element[i]->len};
    if (count > 1)
        redis_link_send(purge->mirror->link, words, count, purge->wait != NULL, on_unlinked, purge);
    else
        go_on(purge);
    free(words);
}

static void on_scanned(void *context, const redisReply *reply)
{
    struct mirror_purge *purge = context;
    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_ARRAY) {
        end(purge, false);
        return;
    }
    buf_consume(&purge->cursor, purge->cursor.length);
    buf_append(&purge->cursor, reply->element[0]->str, (size_t)reply->element[0]->len);
    unlink_found(purge, reply->element[1]);
}

static void step(struct mirror_purge *purge)
{
    struct redis_word words[] = {REDIS_WORD("SCAN"),  {purge->cursor.data, purge->cursor.length},
                                 REDIS_WORD("MATCH"), {purge->match.data, purge->match.length},
                                 REDIS_WORD("COUNT"), REDIS_WORD("1000")};
    redis_link_send(purge->mirror->link, words, 6, purge->wait != NULL, on_scanned, purge);
}

static void begin(struct mirror_purge *purge)
{
    struct mirror *mirror = purge->mirror;
    mirror->purges++;
    mirror->page->mirror.unsent = 1;
    mirror_append_literally(&purge->match, mirror->config->prefix, strlen(mirror->config->prefix));
    buf_append(&purge->match, purge->pattern, purge->length);
    buf_append_text(&purge->cursor, "0");
    step(purge);
}

// SCAN finds what is there when it begins: what was set here before has to be.
void mirror_purge(struct mirror *mirror, const char *pattern, size_t length,
                  struct mirror_wait *wait)
{
    if (!redis_link_is_healthy(mirror->link)) {
        mirror_owe(mirror, pattern, length);
        return;
    }
    struct mirror_purge *purge = new_purge(mirror, pattern, length);
    purge->wait = wait;
    mirror_wait_add(wait);
    mirror_send_now(mirror);
    begin(purge);
}

// --- one key ------------------------------------------------------------------------------------

struct key_purge {
    struct mirror *mirror;
    struct mirror_wait *wait;
    size_t length;
    char key[];
};

static void on_key_unlinked(void *context, const redisReply *reply)
{
    struct key_purge *purge = context;
    struct mirror *mirror = purge->mirror;
    struct mirror_wait *wait = purge->wait;
    if (reply && reply->type == REDIS_REPLY_INTEGER) {
        mirror_wait_add_purged(wait, (uint64_t)reply->integer);
        mirror_send_key(mirror, purge->key, purge->length, CHANGE_ANNOUNCE);
    } else {
        mirror_send_key(mirror, purge->key, purge->length, CHANGE_DELETE);
    }
    free(purge);
    mirror_wait_done(wait);
}

void mirror_purge_key(struct mirror *mirror, const char *key, size_t length,
                      struct mirror_wait *wait)
{
    struct key_purge *purge = mem_zalloc(1, sizeof *purge + length);
    size_t full_length;
    char *full = mirror_full_key(mirror, key, length, &full_length);
    struct redis_word words[] = {REDIS_WORD("UNLINK"), {full, full_length}};
    purge->mirror = mirror;
    purge->wait = wait;
    purge->length = length;
    memcpy(purge->key, key, length);
    mirror_wait_add(wait);
    redis_link_send(mirror->link, words, 2, true, on_key_unlinked, purge);
    free(full);
}

// --- what is owed -------------------------------------------------------------------------------

void mirror_pay(struct mirror *mirror)
{
    struct mirror_purge *purge = mirror->owed;
    if (mirror->purging || !redis_link_is_healthy(mirror->link))
        return;
    if (mirror->owes_everything) {
        mirror->owes_everything = false;
        purge = new_purge(mirror, "*", 1);
    } else if (purge) {
        mirror->owed = purge->next;
        mirror->owed_count--;
    }
    mirror->purging = purge;
    if (purge)
        begin(purge);
}
