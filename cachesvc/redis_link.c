// Connecting, greeting, heartbeats, deadlines.
//
// No handle of it keeps the loop running: that is for those it works for.
//
// Invariant: whoever sent a command is answered exactly once, by a reply, or with NULL at the
// deadline or the end. A late reply stays in hiredis' row and is thrown away when it comes.
#include "redis_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/backoff.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/redis_config.h"
#include "redis_resolve.h"

enum {
    GREETING_MS = 2000, // from the first packet to an open link
    BEAT_MS = 250,
    SILENT_MS = 1500, // a heartbeat that is not answered: the link is dead
    DEAF_BEATS = 2,   // of silence after one was answered: we miss what others say
};

static const struct backoff_policy reconnect = {
    .first_ms = 50, .limit_ms = 2000, .factor_percent = 200};

// Heartbeats come every BEAT_MS, so that it is closed again soon.
static const struct breaker_policy breaker_policy = {.failure_threshold = 5,
                                                     .failure_rate = 0.5,
                                                     .volume_threshold = 10,
                                                     .window_ms = 10000,
                                                     .timeout_ms = 500,
                                                     .success_threshold = 2,
                                                     .permits = 1,
                                                     .permit_ms = SILENT_MS};

enum state { CLOSED, RESOLVING, SUBSCRIBING, GREETING, OPEN };

// A command on its way. One that is awaited stands in the link's row until it is answered.
struct call {
    struct redis_link *link;
    redis_reply_fn *on_reply; // NULL: answered already, or nobody cares
    void *context;
    struct call *before, *after;
    uint64_t deadline_ms;
    struct breaker_call permission;
    bool is_awaited;
};

struct redis_link {
    uv_loop_t *loop;
    const struct redis_config *config;
    const struct redis_link_handlers *handlers;
    void *context;
    char *channel, *own_channel;
    char *name; // of the server, in logs
    enum state state;
    struct redis_address address;
    struct redis_connection *commands, *subscription;
    bool is_ending;                // replies that will not come have begun to come, as NULL
    struct redis_resolve *resolve; // while RESOLVING
    unsigned subscribed;           // channels
    struct call *first, *last;     // that are awaited, in the order of their deadlines
    struct breaker breaker;
    struct backoff backoff;
    bool is_away, was_open;          // as the log has it; ever
    bool beat_is_out, beat_was_sent; // not come back yet; its PUBLISH was answered
    uint64_t beat_due_ms;
    unsigned silent_beats; // since it was answered, or something was heard
    uv_timer_t pace;       // the next try, or the end of patience with this one
    uv_timer_t limit, beat;
    unsigned open_handles;
};

static void lose(struct redis_link *link, const char *reason);
static void on_pace(uv_timer_t *timer);

enum { CHANNELS = 2, HANDLES = 3 };

static struct redis_word word(const char *text)
{
    return (struct redis_word){text, strlen(text)};
}

// --- the breaker --------------------------------------------------------------------------------

static void tell_breaker(struct redis_link *link, enum breaker_state state, const char *text)
{
    link->handlers->on_event(link->context, "breaker", breaker_state_name(state), text);
}

// One line when it goes, and one when it is back, whatever happens in between. Meanwhile the
// breaker is not closed: that its trials begin and fail, twice a second at worst, is no event.
static void say_away(struct redis_link *link, const char *event, const char *reason)
{
    link->handlers->on_event(link->context, "redis", event, reason);
    if (!link->is_away) {
        char *text = mem_printf("redis: %s", reason);
        log_warn("redis: %s: %s; doing without it until it is back", link->name, reason);
        tell_breaker(link, BREAKER_OPEN, text);
        free(text);
    }
    link->is_away = true;
}

static void say_back(struct redis_link *link, const char *what)
{
    link->handlers->on_event(link->context, "redis", "connect", link->name);
    if (link->is_away || !link->was_open)
        log_info("redis: %s %s", what, link->name);
    if (link->is_away)
        tell_breaker(link, BREAKER_CLOSED, "redis");
    link->is_away = false;
    link->was_open = true;
}

static void tell(struct redis_link *link, enum breaker_transition transition)
{
    static const enum breaker_state states[] = {[BREAKER_CLOSES] = BREAKER_CLOSED,
                                                [BREAKER_HALF_OPENS] = BREAKER_HALF_OPEN,
                                                [BREAKER_OPENS] = BREAKER_OPEN};
    if (transition != BREAKER_STAYS)
        link->handlers->on_breaker(link->context, states[transition]);
    if (transition == BREAKER_OPENS && !link->is_away) // of one that stays slow each trial fails
        say_away(link, "error", "too many late answers");
    else if (transition == BREAKER_CLOSES)
        say_back(link, "answers in time again:");
    if (link->state == OPEN && (transition == BREAKER_OPENS || transition == BREAKER_CLOSES))
        link->handlers->on_health(link->context, transition == BREAKER_CLOSES);
}

static bool ask_permission(struct redis_link *link, struct call *call)
{
    tell(link,
         breaker_allow(&link->breaker, &breaker_policy, uv_now(link->loop), &call->permission));
    return call->permission.answer != BREAKER_REJECTED;
}

static void judge(struct redis_link *link, struct call *call, enum breaker_result result)
{
    tell(link, breaker_on_result(&link->breaker, &breaker_policy, &call->permission, result,
                                 uv_now(link->loop)));
}

bool redis_link_is_healthy(const struct redis_link *link)
{
    return link->state == OPEN && !link->is_ending && redis_link_breaker(link) == BREAKER_CLOSED;
}

enum breaker_state redis_link_breaker(const struct redis_link *link)
{
    return breaker_state(&link->breaker, &breaker_policy, uv_now(link->loop));
}

const char *redis_link_state(const struct redis_link *link)
{
    return link->state == OPEN ? "connected" : link->state == CLOSED ? "waiting" : "connecting";
}

// --- calls --------------------------------------------------------------------------------------

static void on_limit(uv_timer_t *timer);

static void watch_limit(struct redis_link *link)
{
    uint64_t now = uv_now(link->loop);
    if (link->first)
        uv_timer_start(&link->limit, on_limit,
                       link->first->deadline_ms > now ? link->first->deadline_ms - now : 0, 0);
    else
        uv_timer_stop(&link->limit);
}

// All have the same deadline, so the row is in the order of theirs.
static void join_row(struct redis_link *link, struct call *call)
{
    call->deadline_ms = uv_now(link->loop) + (uint64_t)link->config->deadline_ms;
    call->before = link->last;
    if (link->last)
        link->last->after = call;
    else
        link->first = call;
    link->last = call;
    if (link->first == call)
        watch_limit(link);
}

static void leave_row(struct redis_link *link, struct call *call)
{
    if (call->before)
        call->before->after = call->after;
    else
        link->first = call->after;
    if (call->after)
        call->after->before = call->before;
    else
        link->last = call->before;
    watch_limit(link);
}

static void answer(struct call *call, const redisReply *reply)
{
    redis_reply_fn *on_reply = call->on_reply;
    call->on_reply = NULL;
    if (on_reply)
        on_reply(call->context, reply);
}

// Of the calls that are due now, each is answered once, whatever their callbacks do.
static void on_limit(uv_timer_t *timer)
{
    struct redis_link *link = timer->data;
    struct call *call;
    uv_update_time(link->loop);
    while ((call = link->first) != NULL && call->deadline_ms <= uv_now(link->loop)) {
        leave_row(link, call);
        call->is_awaited = false;
        judge(link, call, BREAKER_FAILURE);
        answer(call, NULL);
    }
    watch_limit(link);
}

// Such a Redis is of no use: it is a replica, is not ready, or does not know us any more. In the
// greeting every error says that; but one that is full still deletes, and tells others.
static bool is_fatal(const struct redis_link *link, const redisReply *reply)
{
    static const char *const codes[] = {"READONLY", "LOADING", "MASTERDOWN", "NOAUTH",
                                        "CLUSTERDOWN"};
    if (reply->type != REDIS_REPLY_ERROR)
        return false;
    if (link->state == GREETING)
        return strncmp(reply->str, "OOM", 3) != 0;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; ++i)
        if (strncmp(reply->str, codes[i], strlen(codes[i])) == 0)
            return true;
    return false;
}

static void on_reply(void *context, const redisReply *reply)
{
    struct call *call = context;
    struct redis_link *link = call->link;
    char reason[256];
    bool is_bad = reply && is_fatal(link, reply);
    link->is_ending = link->is_ending || !reply; // hiredis tells that only after the last of them
    if (is_bad)
        snprintf(reason, sizeof reason, "%s", reply->str);
    if (call->is_awaited) {
        leave_row(link, call);
        // With its connection: that says it is away, not that it is slow.
        judge(link, call, reply && !is_bad ? BREAKER_SUCCESS : BREAKER_IGNORED);
    }
    answer(call, is_bad ? NULL : reply);
    free(call);
    if (is_bad)
        lose(link, reason);
}

static void send_call(struct redis_link *link, struct call *call, const struct redis_word *words,
                      size_t count)
{
    if (call->is_awaited)
        join_row(link, call);
    redis_connection_send(link->commands, words, count, on_reply, call);
}

static struct call *new_call(struct redis_link *link, redis_reply_fn *reply_to, void *context)
{
    struct call *call = mem_zalloc(1, sizeof *call);
    call->link = link;
    call->on_reply = reply_to;
    call->context = context;
    return call;
}

void redis_link_send(struct redis_link *link, const struct redis_word *words, size_t count,
                     bool is_awaited, redis_reply_fn *reply_to, void *context)
{
    struct call *call = new_call(link, reply_to, context);
    bool may_go = link->commands != NULL && !link->is_ending;
    if (is_awaited)
        may_go = redis_link_is_healthy(link) && ask_permission(link, call);
    call->is_awaited = is_awaited && may_go;
    if (may_go) {
        send_call(link, call, words, count);
        return;
    }
    answer(call, NULL);
    free(call);
}

void redis_link_publish(struct redis_link *link, const char *text, size_t length,
                        redis_reply_fn *reply_to, void *context)
{
    struct redis_word words[] = {REDIS_WORD("PUBLISH"), word(link->channel), {text, length}};
    redis_link_send(link, words, 3, false, reply_to, context);
}

// --- losing and coming back ---------------------------------------------------------------------

// Up to a quarter later, so that many machines do not come at once.
static uint64_t with_jitter(uint64_t delay_ms)
{
    return delay_ms + delay_ms / 4 * (uv_hrtime() / 1000 % 1000) / 1000;
}

static void disconnect(struct redis_link *link)
{
    struct redis_connection *commands = link->commands, *subscription = link->subscription;
    link->state = CLOSED;
    link->commands = link->subscription = NULL;
    redis_resolve_cancel(link->resolve);
    link->resolve = NULL;
    uv_timer_stop(&link->beat);
    redis_connection_close(subscription);
    redis_connection_close(commands);
    while (link->first) { // theirs come later when one of their replies has brought us here
        struct call *call = link->first;
        leave_row(link, call);
        call->is_awaited = false;
        answer(call, NULL);
    }
}

// Called again while it is at it, by a connection that it closes, it has nothing left to lose.
static void lose(struct redis_link *link, const char *reason)
{
    bool was_open = link->state == OPEN;
    if (link->state == CLOSED)
        return;
    if (was_open || !link->is_away)
        say_away(link, was_open ? "close" : "error", reason);
    (void)breaker_trip(&link->breaker, uv_now(link->loop));
    link->handlers->on_breaker(link->context, BREAKER_OPEN);
    disconnect(link);
    if (was_open)
        link->handlers->on_health(link->context, false);
    uv_timer_start(&link->pace, on_pace, with_jitter(backoff_next(&link->backoff, &reconnect)), 0);
}

static void on_connection_lost(void *context, const char *reason)
{
    lose(context, reason);
}

// --- heartbeats ---------------------------------------------------------------------------------

static void open_up(struct redis_link *link);

static void open_when_beaten(struct redis_link *link)
{
    if (link->state == GREETING && link->beat_was_sent && !link->beat_is_out)
        open_up(link);
}

static void on_beat_sent(void *context, const redisReply *reply)
{
    struct redis_link *link = context;
    link->beat_was_sent = reply != NULL;
    link->silent_beats = 0;
    open_when_beaten(link);
}

// One at a time is on its way. It is a trial when the breaker is not closed.
static void send_beat(struct redis_link *link)
{
    struct redis_word words[] = {REDIS_WORD("PUBLISH"), word(link->own_channel),
                                 REDIS_WORD("beat")};
    struct call *call = new_call(link, on_beat_sent, link);
    call->is_awaited = link->state == OPEN && ask_permission(link, call);
    link->beat_is_out = true;
    link->beat_was_sent = false;
    link->beat_due_ms = uv_now(link->loop) + SILENT_MS;
    send_call(link, call, words, 3);
}

// A subscription that is behind with much is not deaf. Each look comes after another turn of the
// loop, so what had arrived at the last one has been read.
static void on_beat(uv_timer_t *timer)
{
    struct redis_link *link = timer->data;
    link->handlers->on_beat(link->context);
    if (!link->beat_is_out)
        send_beat(link);
    else if (!link->beat_was_sent && uv_now(link->loop) > link->beat_due_ms)
        lose(link, "does not answer");
    else if (link->beat_was_sent && ++link->silent_beats > DEAF_BEATS)
        lose(link, "is not heard");
}

static void open_up(struct redis_link *link)
{
    link->state = OPEN;
    uv_timer_stop(&link->pace);
    backoff_reset(&link->backoff);
    say_back(link, "connected to");
    (void)breaker_reset(&link->breaker, uv_now(link->loop));
    link->handlers->on_breaker(link->context, BREAKER_CLOSED);
    uv_timer_start(&link->beat, on_beat, BEAT_MS, BEAT_MS);
    link->handlers->on_open(link->context);
    link->handlers->on_health(link->context, true);
}

// --- greeting -----------------------------------------------------------------------------------

// As every error of the greeting, but these know what they were for.
static void check_introduction(struct redis_link *link, const char *what, const redisReply *reply)
{
    char reason[256];
    if (!reply || reply->type != REDIS_REPLY_ERROR)
        return;
    snprintf(reason, sizeof reason, "%s: %s", what, reply->str);
    lose(link, reason);
}

static void on_auth(void *context, const redisReply *reply)
{
    check_introduction(context, "AUTH", reply);
}

static void on_select(void *context, const redisReply *reply)
{
    check_introduction(context, "SELECT", reply);
}

static void log_in(struct redis_link *link, struct redis_connection *connection)
{
    const struct redis_config *config = link->config;
    struct redis_word words[3] = {REDIS_WORD("AUTH")};
    size_t count = 1;
    if (config->username)
        words[count++] = word(config->username);
    words[count++] = word(config->password);
    redis_connection_send(connection, words, count, on_auth, link);
}

// A connection to the address. NULL: the link is lost already.
static struct redis_connection *connect_and_introduce(struct redis_link *link)
{
    const struct redis_config *config = link->config;
    struct err err;
    char number[24];
    struct redis_connection *connection =
        redis_connection_open(link->loop, &link->address, on_connection_lost, link, &err);
    if (!connection) {
        lose(link, err.text);
        return NULL;
    }
    if (config->password)
        log_in(link, connection);
    if (config->database > 0) {
        snprintf(number, sizeof number, "%lld", (long long)config->database);
        struct redis_word words[] = {REDIS_WORD("SELECT"), word(number)};
        redis_connection_send(connection, words, 2, on_select, link);
    }
    return connection;
}

static void greet(struct redis_link *link)
{
    link->state = GREETING;
    link->is_ending = false;
    link->commands = connect_and_introduce(link);
    if (!link->commands)
        return;
    link->handlers->on_greet(link->context);
    send_beat(link);
}

static void take_message(struct redis_link *link, const char *channel, const redisReply *text)
{
    if (strcmp(channel, link->own_channel) == 0) {
        link->beat_is_out = false;
        open_when_beaten(link);
    } else if (text->type == REDIS_REPLY_STRING) {
        link->handlers->on_message(link->context, text->str, (size_t)text->len);
    }
}

// {"subscribe", channel, number} or {"message", channel, text}.
static void on_heard(void *context, const redisReply *reply)
{
    struct redis_link *link = context;
    if (!link->subscription)
        return;
    link->silent_beats = 0;
    if (reply->type == REDIS_REPLY_ERROR) {
        lose(link, reply->str);
    } else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && reply->element[0]->str &&
               reply->element[1]->str) {
        if (strcmp(reply->element[0]->str, "message") == 0)
            take_message(link, reply->element[1]->str, reply->element[2]);
        else if (++link->subscribed == CHANNELS)
            greet(link);
    }
}

static void subscribe(struct redis_link *link)
{
    struct redis_word words[] = {REDIS_WORD("SUBSCRIBE"), word(link->channel),
                                 word(link->own_channel)};
    link->state = SUBSCRIBING;
    link->subscribed = 0;
    link->subscription = connect_and_introduce(link);
    if (link->subscription)
        redis_connection_subscribe(link->subscription, words, 3, on_heard, link);
}

// --- where it is --------------------------------------------------------------------------------

static void on_found(void *context, const struct redis_address *address, const char *reason)
{
    struct redis_link *link = context;
    link->resolve = NULL;
    if (!address) {
        lose(link, reason);
        return;
    }
    link->address = *address;
    subscribe(link);
}

static void resolve(struct redis_link *link)
{
    struct err err;
    link->state = RESOLVING;
    link->resolve = redis_resolve_start(link->loop, link->config->host, (int)link->config->port,
                                        on_found, link, &err);
    if (!link->resolve)
        lose(link, err.text);
}

static void try_connect(struct redis_link *link)
{
    static const char unix_scheme[] = "unix:";
    const char *host = link->config->host;
    uv_timer_start(&link->pace, on_pace, GREETING_MS, 0);
    if (strncmp(host, unix_scheme, strlen(unix_scheme)) != 0) {
        resolve(link);
        return;
    }
    link->address.port = 0;
    snprintf(link->address.host, sizeof link->address.host, "%s", host + strlen(unix_scheme));
    subscribe(link);
}

static void on_pace(uv_timer_t *timer)
{
    struct redis_link *link = timer->data;
    if (link->state == CLOSED)
        try_connect(link);
    else
        lose(link, "does not answer");
}

// --- life ---------------------------------------------------------------------------------------

static void open_timer(struct redis_link *link, uv_timer_t *timer)
{
    uv_timer_init(link->loop, timer);
    timer->data = link;
    uv_unref((uv_handle_t *)timer);
}

struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_config *config,
                                   const char *channel, const char *id,
                                   const struct redis_link_handlers *handlers, void *context)
{
    struct redis_link *link = mem_zalloc(1, sizeof *link);
    link->loop = loop;
    link->config = config;
    link->handlers = handlers;
    link->context = context;
    link->channel = mem_printf("%s", channel);
    link->own_channel = mem_printf("%s:%s", channel, id);
    link->name = strncmp(config->host, "unix:", 5) == 0
                     ? mem_printf("%s", config->host)
                     : mem_printf("%s:%lld", config->host, (long long)config->port);
    breaker_init(&link->breaker);
    open_timer(link, &link->pace);
    open_timer(link, &link->limit);
    open_timer(link, &link->beat);
    link->open_handles = HANDLES;
    uv_timer_start(&link->pace, on_pace, 0, 0);
    return link;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct redis_link *link = handle->data;
    if (--link->open_handles > 0)
        return;
    free(link->channel);
    free(link->own_channel);
    free(link->name);
    free(link);
}

void redis_link_close(struct redis_link *link)
{
    if (!link)
        return;
    disconnect(link);
    uv_close((uv_handle_t *)&link->pace, on_handle_closed);
    uv_close((uv_handle_t *)&link->limit, on_handle_closed);
    uv_close((uv_handle_t *)&link->beat, on_handle_closed);
}
