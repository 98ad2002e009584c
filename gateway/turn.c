// The lock of a key, seen from one request that wants it. What is done in its turn, and for whom
// else of this worker, is cached.c's.
//
// Invariants: at most one of `call` and `poll` is under way. A lock that may be ours has its token
// here until turn_end, or until the owner takes it (landing.h); so it is given back also when its
// reply came too late. A lock that nobody gives back ends with the connection, or by its time.
#include "turn.h"

#include <stdio.h>
#include <string.h>

#include "server.h"

enum {
    POLLS_A_LOCK = 10, // looks at the segment to one try for the lock
    UNANSWERED_MAX = 4 // tries in a row without a reply: the other worker cannot store either
};

static uint64_t now_ms(const struct turn *turn)
{
    return uv_now(turn->server->loop);
}

// Asks cachesvc. false: it cannot be asked now.
static bool send_call(struct turn *turn, struct cache_link *link, const struct span *words,
                      size_t count, uint32_t limit_ms,
                      void (*on_reply)(void *context, bool replied, int64_t number))
{
    if (link != NULL)
        turn->call = cache_link_call(link, words, count, limit_ms, on_reply, turn);
    turn->called_at_ms = now_ms(turn);
    return turn->call != NULL;
}

// It was replied, or nobody waits for it any more.
static void end_call(struct turn *turn)
{
    struct server *server = turn->server;
    turn->call = NULL;
    if (turn->has_waited || now_ms(turn) - turn->called_at_ms < server->cache.reply_ms)
        return;
    turn->has_waited = true;
    metrics_count_cache_wait(&server->metrics);
}

// --- the lock -----------------------------------------------------------------------------------

// Whoever fetches is in another process: the segment tells when it is done, and the lock when it
// has died, since cachesvc ends the locks of a connection that is gone.
static void on_poll(h2o_timeout_entry_t *entry)
{
    struct turn *turn = H2O_STRUCT_FROM_MEMBER(struct turn, poll, entry);
    ++turn->polls;
    turn->on_news(turn, TURN_LOOK);
}

static void poll_later(struct turn *turn)
{
    turn->poll.cb = on_poll;
    h2o_timeout_link(turn->server->loop, &turn->server->cache.poll, &turn->poll);
}

// Not replied in time: the lock may be ours later. Who waits for another worker goes on to wait;
// who asked for the first time fetches.
static void on_no_lock_reply(struct turn *turn)
{
    if (turn->polls > 0 && ++turn->unanswered < UNANSWERED_MAX)
        poll_later(turn);
    else
        turn->on_news(turn, TURN_FETCH);
}

static void on_lock_reply(void *context, bool replied, int64_t number)
{
    struct turn *turn = context;
    end_call(turn);
    if (!replied) {
        on_no_lock_reply(turn);
    } else if (number == 0) {
        turn->token[0] = '\0';
        turn->unanswered = 0;
        poll_later(turn);
    } else {
        // Whoever had the lock before may have stored it after we looked.
        turn->is_ours = true;
        turn->on_news(turn, TURN_LOOK);
    }
}

bool turn_begin(struct turn *turn)
{
    struct cache *cache = &turn->server->cache;
    char text[24];
    int length = snprintf(text, sizeof(text), "%lld", (long long)turn->lock_ms);
    if (turn->token[0] == '\0')
        cache_make_token(cache, turn->token);
    struct span words[] = {SPAN("CACHE.LOCK"),
                           turn->key,
                           {turn->token, strlen(turn->token)},
                           {text, (size_t)length},
                           SPAN("SESSION")};
    return send_call(turn, cache->link, words, 5, cache->reply_ms, on_lock_reply);
}

// --- Redis --------------------------------------------------------------------------------------

static void on_asked(void *context, bool replied, int64_t number)
{
    struct turn *turn = context;
    end_call(turn);
    turn->on_news(turn, replied && number == 1 ? TURN_LOOK : TURN_FETCH);
}

// Whether this key may be asked for: what exists and is missing all the same is not worth another
// question.
static bool is_new_question(struct turn *turn, struct span missing)
{
    bool is_key = missing.length == turn->key.length &&
                  memcmp(missing.bytes, turn->key.bytes, missing.length) == 0;
    bool *asked = is_key ? &turn->asked_key : &turn->asked_variant;
    bool is_new = !*asked;
    *asked = true;
    return is_new;
}

// false: nobody can say more than the segment.
static bool ask(struct turn *turn, struct span missing)
{
    struct cache *cache = &turn->server->cache;
    struct span words[] = {SPAN("EXISTS"), missing};
    if (cache->segment.base == NULL)
        return false;
    uint32_t redis_wait_ms =
        atomic_load_explicit(&cache->segment.header->redis_wait_ms, memory_order_relaxed);
    return redis_wait_ms != 0 && missing.length > 0 && is_new_question(turn, missing) &&
           send_call(turn, cache->slow_link, words, 2, redis_wait_ms + cache->reply_ms, on_asked);
}

// --- life ---------------------------------------------------------------------------------------

void turn_go_on(struct turn *turn, struct span missing)
{
    if (turn->is_ours) {
        if (!ask(turn, missing))
            turn->on_news(turn, TURN_FETCH);
    } else if (now_ms(turn) >= turn->until_ms) {
        turn->on_news(turn, TURN_ALONE);
    } else if (turn->polls % POLLS_A_LOCK != 0) {
        poll_later(turn);
    } else if (!turn_begin(turn)) {
        on_no_lock_reply(turn);
    }
}

static void stop(struct turn *turn)
{
    if (turn->call != NULL) {
        cache_call_cancel(turn->call);
        end_call(turn);
    }
    h2o_timeout_unlink(&turn->poll);
}

void turn_end(struct turn *turn)
{
    stop(turn);
    if (turn->token[0] == '\0')
        return;
    struct span words[] = {SPAN("CACHE.UNLOCK"), turn->key, {turn->token, strlen(turn->token)}};
    if (turn->server->cache.link != NULL)
        (void)cache_link_tell(turn->server->cache.link, words, 3);
    turn->token[0] = '\0';
}
