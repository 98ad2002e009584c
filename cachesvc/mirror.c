// Life, the greeting, and commands before and after they run.
#include "mirror.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "mirror_plan.h"
#include "mirror_state.h"

enum {
    HANDLES = 2,
};

#define BIRTH "birth" // a field of the hash beside those of the machines

// --- what has changed ---------------------------------------------------------------------------

char *mirror_full_key(const struct mirror *mirror, const char *key, size_t length, size_t *full)
{
    size_t prefix = strlen(mirror->config->prefix);
    char *bytes = mem_alloc(prefix + length + 1);
    memcpy(bytes, mirror->config->prefix, prefix);
    memcpy(bytes + prefix, key, length);
    *full = prefix + length;
    return bytes;
}

void mirror_key_changed(struct mirror *mirror, const char *key, size_t length)
{
    mirror->changes[segment_hash(key, length) % CHANGE_SLOTS]++;
}

void mirror_key_dropped(struct mirror *mirror, const char *key, size_t length)
{
    (void)store_delete(mirror->store, key, length, clock_wall_ms());
    mirror_key_changed(mirror, key, length);
    mirror->drops++;
}

void mirror_all_changed(struct mirror *mirror)
{
    mirror->all_changes++;
    mirror->drops++;
}

uint64_t mirror_drops(const struct mirror *mirror)
{
    return mirror->drops;
}

bool mirror_is_idle(const struct mirror *mirror)
{
    for (size_t i = 0; i < TAG_WORDS; ++i)
        if (mirror->changed_tags[i] != 0)
            return false;
    return mirror_queue_count(mirror->queue) == 0 && mirror->announced.length == 0 &&
           !mirror->owed && !mirror->owes_everything && mirror->purges == 0 && mirror->batches == 0;
}

// A cachesvc that is killed finds in the page that it owes Redis something, if not what.
void mirror_note_unsent(struct mirror *mirror)
{
    mirror->page->mirror.unsent = !mirror_is_idle(mirror);
}

// --- the greeting -------------------------------------------------------------------------------

static struct redis_word word(const char *text)
{
    return (struct redis_word){text, strlen(text)};
}

// Never 0.
static uint64_t random_number(void)
{
    uint64_t number = 0;
    while (number == 0)
        if (uv_random(NULL, NULL, &number, sizeof number, 0, NULL) != 0)
            number = uv_hrtime();
    return number;
}

static void forget(struct mirror *mirror, const redisReply *id)
{
    struct redis_word words[] = {
        REDIS_WORD("HDEL"), word(mirror->epochs_key), {id->str, (size_t)id->len}};
    redis_link_send(mirror->link, words, 3, false, NULL, NULL);
}

static void on_epochs(void *context, const redisReply *reply)
{
    struct mirror *mirror = context;
    uint64_t now_ms = clock_wall_ms();
    if (!reply || reply->type != REDIS_REPLY_ARRAY)
        return;
    free(mirror->greeted);
    mirror->greeted = mem_alloc((reply->elements / 2 + 1) * sizeof *mirror->greeted);
    mirror->greeted_count = 0;
    mirror->birth = 0;
    uint64_t own = 0;
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *id = reply->element[i], *epoch = reply->element[i + 1];
        if (id->type != REDIS_REPLY_STRING || epoch->type != REDIS_REPLY_STRING)
            continue;
        if (strcmp(id->str, BIRTH) == 0) {
            mirror->birth = strtoull(epoch->str, NULL, 16);
            continue;
        }
        struct greeted greeted = {strtoull(id->str, NULL, 16), strtoull(epoch->str, NULL, 10)};
        mirror->greeted[mirror->greeted_count++] = greeted;
        if (greeted.id == mirror->page->mirror.id)
            own = greeted.epoch;
        else if (mirror_is_forgotten(greeted.epoch, now_ms))
            forget(mirror, id);
    }
    mirror->is_known = mirror->birth != 0 && mirror->birth == mirror->page->mirror.birth;
    mirror->went_back = mirror->is_known && own < mirror->page->mirror.epoch &&
                        !mirror->is_epoch_refused &&
                        !mirror_is_forgotten(mirror->page->mirror.epoch, now_ms);
    if (own <= mirror->page->mirror.epoch)
        mirror_say_epoch(mirror);
}

// Versions only grow, whoever forgot one: a tag that Redis has lost is told it again.
static void on_tag_versions(void *context, const redisReply *reply)
{
    struct mirror *mirror = context;
    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != SEGMENT_TAG_SLOTS_MIN)
        return;
    for (size_t i = 0; i < SEGMENT_TAG_SLOTS_MIN; ++i) {
        const redisReply *element = reply->element[i];
        uint64_t theirs =
            element->type == REDIS_REPLY_STRING ? strtoull(element->str, NULL, 10) : 0;
        if (theirs > mirror->tag_versions[i])
            mirror->tag_versions[i] = theirs;
        else if (theirs < mirror->tag_versions[i])
            mirror_store_tag(mirror, (unsigned)i);
    }
}

// Whoever may not do these would find out with each value: then it is better not to begin.
static void try_rights(struct mirror *mirror)
{
    char *key = mem_printf("%s%sprobe", mirror->config->prefix, MIRROR_RESERVED);
    struct redis_word set[] = {REDIS_WORD("SET"), word(key), REDIS_WORD("1"), REDIS_WORD("PX"),
                               REDIS_WORD("1000")};
    struct redis_word ttl[] = {REDIS_WORD("PTTL"), word(key)};
    struct redis_word get[] = {REDIS_WORD("GET"), word(key)};
    struct redis_word unlink[] = {REDIS_WORD("UNLINK"), word(key)};
    struct redis_word scan[] = {REDIS_WORD("SCAN"), REDIS_WORD("0"), REDIS_WORD("COUNT"),
                                REDIS_WORD("1")};
    redis_link_send(mirror->link, set, 5, false, NULL, NULL);
    redis_link_send(mirror->link, ttl, 2, false, NULL, NULL);
    redis_link_send(mirror->link, get, 2, false, NULL, NULL);
    redis_link_send(mirror->link, unlink, 2, false, NULL, NULL);
    redis_link_send(mirror->link, scan, 4, false, NULL, NULL);
    free(key);
}

static void ask_for_tag_versions(struct mirror *mirror)
{
    struct redis_word *words = mem_alloc((SEGMENT_TAG_SLOTS_MIN + 1) * sizeof *words);
    words[0] = REDIS_WORD("MGET");
    for (unsigned i = 0; i < SEGMENT_TAG_SLOTS_MIN; ++i) {
        char *key = mem_printf("%s%stag:%u", mirror->config->prefix, MIRROR_RESERVED, i);
        words[i + 1] = word(key);
    }
    redis_link_send(mirror->link, words, SEGMENT_TAG_SLOTS_MIN + 1, false, on_tag_versions, mirror);
    for (unsigned i = 0; i < SEGMENT_TAG_SLOTS_MIN; ++i)
        free((char *)words[i + 1].bytes);
    free(words);
}

// Whoever is the first to find no hash gives it one. So it can be told whether a Redis that lacks
// something has begun anew, or was set back to before that.
static void propose_birth(struct mirror *mirror)
{
    char birth[17];
    snprintf(birth, sizeof birth, "%016" PRIx64, random_number());
    struct redis_word words[] = {REDIS_WORD("HSETNX"), word(mirror->epochs_key), REDIS_WORD(BIRTH),
                                 word(birth)};
    redis_link_send(mirror->link, words, 4, false, NULL, NULL);
}

// That we are there, as far as others may have heard of us. A replica refuses to be written to.
static void on_greet(void *context)
{
    struct mirror *mirror = context;
    struct redis_word get[] = {REDIS_WORD("HGETALL"), word(mirror->epochs_key)};
    mirror_before_asking(mirror);
    mirror_begin_epochs(mirror);
    propose_birth(mirror);
    redis_link_send(mirror->link, get, 2, false, on_epochs, mirror);
    ask_for_tag_versions(mirror);
    try_rights(mirror);
}

static void on_open(void *context)
{
    mirror_compare(context);
}

static void on_message(void *context, const char *text, size_t length)
{
    mirror_hear(context, text, length);
}

static void on_health(void *context, bool is_healthy)
{
    struct mirror *mirror = context;
    atomic_store_explicit(&mirror->page->redis_wait_ms,
                          is_healthy ? (uint32_t)mirror->config->deadline_ms : 0,
                          memory_order_relaxed);
    if (!is_healthy) {
        mirror_let_crowd_go(mirror, true);
        return;
    }
    mirror_pay(mirror);
    mirror_send_soon(mirror);
}

// For whoever maps the page.
static void show_redis(struct mirror *mirror, enum breaker_state state)
{
    atomic_store_explicit(&mirror->page->redis, SEGMENT_REDIS + state, memory_order_relaxed);
}

static void on_breaker(void *context, enum breaker_state state)
{
    show_redis(context, state);
}

// What Redis refused, or was too slow for, is tried again.
static void on_beat(void *context)
{
    struct mirror *mirror = context;
    if (mirror->is_epoch_refused && mirror->batches == 0)
        mirror_say_epoch(mirror);
    mirror_let_crowd_go(mirror, mirror->stats.sent == mirror->sent_at_beat);
    mirror->sent_at_beat = mirror->stats.sent;
    mirror_pay(mirror);
    if (!mirror_is_idle(mirror))
        mirror_send_soon(mirror);
}

static void on_event(void *context, const char *source, const char *name, const char *text)
{
    struct mirror *mirror = context;
    mirror->on_event(mirror->context, source, name, text);
}

static const struct redis_link_handlers handlers = {.on_greet = on_greet,
                                                    .on_open = on_open,
                                                    .on_health = on_health,
                                                    .on_breaker = on_breaker,
                                                    .on_beat = on_beat,
                                                    .on_message = on_message,
                                                    .on_event = on_event};

// --- commands -----------------------------------------------------------------------------------

static void fetch_missing(struct mirror *mirror, const struct command *command,
                          const struct resp_arg *args, size_t count, struct mirror_wait *wait)
{
    struct store_value value;
    uint64_t now_ms = clock_wall_ms();
    for (size_t at = mirror_first_key(command); at != 0; at = mirror_next_key(command, at, count))
        if (!store_peek(mirror->store, args[at].bytes, args[at].length, now_ms, &value) &&
            !mirror_queue_has(mirror->queue, args[at].bytes, args[at].length))
            mirror_fetch(mirror, args[at].bytes, args[at].length, wait);
}

static void purge_patterns(struct mirror *mirror, const struct command *command,
                           const struct resp_arg *args, struct mirror_wait *wait)
{
    struct buf patterns[MIRROR_PATTERNS_MAX];
    size_t count = mirror_patterns(command, args, patterns);
    for (size_t i = 0; i < count; ++i) {
        mirror_purge(mirror, patterns[i].data, patterns[i].length, wait);
        buf_free(&patterns[i]);
    }
    if (strcmp(command->name, "cache.invalidate") == 0) {
        struct buf key = BUF_INIT;
        if (mirror_invalidated_key(args, &key))
            mirror_purge_key(mirror, key.data, key.length, wait);
        buf_free(&key);
    }
}

struct mirror_wait *mirror_before(struct mirror *mirror, const struct command *command,
                                  const struct resp_arg *args, size_t count, bool again)
{
    enum mirror_plan plan = mirror_plan(command, args, count);
    if (plan == PLAN_FETCH && again)
        plan = PLAN_ASK;
    bool is_there = redis_link_is_healthy(mirror->link);
    // What it has of their keys is not what holds, until it has been told what it is owed.
    bool may_ask = is_there && !mirror_owes(mirror);
    bool is_write = command->flags & COMMAND_WRITE && mirror_first_key(command) != 0;
    if ((plan == PLAN_RUN && !is_write) || (plan == PLAN_FETCH && !is_there) ||
        (plan == PLAN_ASK && !may_ask))
        return NULL;
    struct mirror_wait *wait = mirror_wait_new();
    if (plan == PLAN_RUN)
        mirror_join_crowd(mirror, wait);
    else if (plan == PLAN_FETCH)
        fetch_missing(mirror, command, args, count, wait);
    else if (plan == PLAN_ASK)
        mirror_ask(mirror, command, args, count, wait);
    else
        purge_patterns(mirror, command, args, wait);
    return mirror_wait_begin(wait);
}

enum { REPLY_ERROR, REPLY_NOTHING, REPLY_DONE };

static int kind_of_reply(const char *reply, size_t length)
{
    if (length > 0 && reply[0] == '-')
        return REPLY_ERROR;
    bool is_nothing = (length >= 3 && memcmp(reply, ":0\r", 3) == 0) ||
                      (length >= 3 && memcmp(reply, "$-1", 3) == 0);
    return is_nothing ? REPLY_NOTHING : REPLY_DONE;
}

// A key that is not here after a command was perhaps deleted by it, and perhaps never was here, but
// is in Redis.
static bool may_have_deleted(const struct command *command, int reply)
{
    return reply == REPLY_DONE || (reply == REPLY_NOTHING && command->flags & COMMAND_DELETES);
}

static void key_written(struct mirror *mirror, const struct command *command,
                        const struct resp_arg *key, int reply)
{
    struct store_value value;
    bool is_here = store_peek(mirror->store, key->bytes, key->length, clock_wall_ms(), &value);
    if (mirror_is_local(key->bytes, key->length) || (!is_here && !may_have_deleted(command, reply)))
        return;
    mirror_send_key(mirror, key->bytes, key->length,
                    command->flags & COMMAND_ADDS ? CHANGE_FORGET : CHANGE_WRITE);
}

void mirror_after(struct mirror *mirror, const struct command *command, const struct resp_arg *args,
                  size_t count, const char *reply, size_t reply_length)
{
    if (!(command->flags & COMMAND_WRITE))
        return;
    int kind = kind_of_reply(reply, reply_length);
    for (size_t at = mirror_first_key(command); at != 0; at = mirror_next_key(command, at, count))
        key_written(mirror, command, &args[at], kind);
    if (strcmp(command->name, "cache.purgetag") == 0)
        for (size_t i = 1; i < count; ++i)
            mirror_purge_tag(mirror, store_tag(mirror->store, args[i].bytes, args[i].length).slot %
                                         SEGMENT_TAG_SLOTS_MIN);
}

// --- life ---------------------------------------------------------------------------------------

static void make_id(struct mirror *mirror)
{
    if (mirror->page->mirror.id == 0)
        mirror->page->mirror.id = random_number();
    snprintf(mirror->id, sizeof mirror->id, "%016" PRIx64, mirror->page->mirror.id);
    mirror->epoch = mirror->page->mirror.epoch;
}

static void open_handles(struct mirror *mirror)
{
    uv_prepare_init(mirror->loop, &mirror->sending);
    uv_idle_init(mirror->loop, &mirror->working);
    mirror->sending.data = mirror->working.data = mirror;
    mirror->open_handles = HANDLES;
    uv_unref((uv_handle_t *)&mirror->sending);
    uv_unref((uv_handle_t *)&mirror->working);
}

struct mirror *mirror_open(uv_loop_t *loop, const struct redis_config *config, struct store *store,
                           void (*on_event_of)(void *context, const char *source, const char *name,
                                               const char *text),
                           void *context)
{
    struct mirror *mirror = mem_zalloc(1, sizeof *mirror);
    mirror->loop = loop;
    mirror->config = config;
    mirror->store = store;
    mirror->page = store_page(store);
    mirror->on_event = on_event_of;
    mirror->context = context;
    mirror->queue = mirror_queue_new((size_t)config->queue_bytes);
    mirror->machines = map_new();
    mirror->epochs_key = mem_printf("%s%sepochs", config->prefix, MIRROR_RESERVED);
    make_id(mirror);
    open_handles(mirror);
    atomic_store_explicit(&mirror->page->redis_is_critical, config->critical, memory_order_relaxed);
    show_redis(mirror, BREAKER_HALF_OPEN); // it is tried, and nobody knows better yet
    if (mirror->page->mirror.unsent)       // by a process that was killed, and nobody knows what
        mirror_owe_everything(mirror);
    char *channel = mem_printf("%s%sevents", config->prefix, MIRROR_RESERVED);
    mirror->link = redis_link_open(loop, config, channel, mirror->id, &handlers, mirror);
    free(channel);
    return mirror;
}

static void on_drained(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

void mirror_drain(struct mirror *mirror, unsigned limit_ms)
{
    bool is_over = false;
    uv_timer_t timer;
    uv_timer_init(mirror->loop, &timer);
    timer.data = &is_over;
    uv_timer_start(&timer, on_drained, limit_ms, 0);
    while (!is_over && redis_link_is_healthy(mirror->link) && !mirror_is_idle(mirror))
        uv_run(mirror->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(mirror->loop, UV_RUN_NOWAIT);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct mirror *mirror = handle->data;
    if (--mirror->open_handles == 0)
        free(mirror);
}

void mirror_close(struct mirror *mirror)
{
    if (!mirror)
        return;
    atomic_store_explicit(&mirror->page->redis_wait_ms, 0, memory_order_relaxed);
    redis_link_close(mirror->link);
    mirror_let_crowd_go(mirror, true);
    mirror_purge_fini(mirror);
    mirror_forget_others(mirror);
    mirror_queue_free(mirror->queue);
    map_free(mirror->machines, free);
    buf_free(&mirror->announced);
    free(mirror->greeted);
    free(mirror->epochs_key);
    uv_close((uv_handle_t *)&mirror->sending, on_handle_closed);
    uv_close((uv_handle_t *)&mirror->working, on_handle_closed);
}

void mirror_info(const struct mirror *mirror, struct buf *text)
{
    buf_printf(text, "redis_link:%s\r\n", redis_link_state(mirror->link));
    buf_printf(text, "redis_breaker:%s\r\n", breaker_state_name(redis_link_breaker(mirror->link)));
    buf_printf(text, "redis_machines:%zu\r\n", map_count(mirror->machines) + 1);
    buf_printf(text, "redis_unsent_keys:%zu\r\n", mirror_queue_count(mirror->queue));
    buf_printf(text, "redis_keys_sent:%" PRIu64 "\r\n", mirror->stats.sent);
    buf_printf(text, "redis_keys_lost:%" PRIu64 "\r\n", mirror->stats.lost);
    buf_printf(text, "redis_keys_fetched:%" PRIu64 "\r\n", mirror->stats.fetched);
    buf_printf(text, "redis_keys_found:%" PRIu64 "\r\n", mirror->stats.found);
    buf_printf(text, "redis_commands_passed_on:%" PRIu64 "\r\n", mirror->stats.asked);
    buf_printf(text, "redis_messages_heard:%" PRIu64 "\r\n", mirror->stats.heard);
}
