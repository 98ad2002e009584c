// The way to Redis: two connections, one for commands and one on which others' messages come, that
// live and die together and come back by themselves.
//
//   CLOSED --timer--> RESOLVING --> SUBSCRIBING --> GREETING --> OPEN
//      ^                                                           |
//      +------- refused, too slow, ended, READONLY, silent <-------+
//
// Heartbeats prove both: a message that is published on the one and comes back on the other. The
// first one ends the greeting: whatever others published before what we sent in it has been heard.
//
// Who waits for a reply waits no longer than the deadline. What is late counts as a failure for the
// breaker named `redis`, and while that is not closed heartbeats are its trial calls, so that
// nobody waits for one.
#ifndef GW_CACHESVC_REDIS_LINK_H
#define GW_CACHESVC_REDIS_LINK_H

#include <stdbool.h>
#include <uv.h>

#include "common/breaker.h"
#include "redis_connection.h"

struct redis_config;
struct redis_link;

// All with the context given to redis_link_open.
struct redis_link_handlers {
    // Commands may be sent, by redis_link_send; an error as a reply ends the greeting.
    void (*on_greet)(void *context);
    // Those replies, and what others published before, have all come.
    void (*on_open)(void *context);
    // What redis_link_is_healthy says has changed.
    void (*on_health)(void *context, bool is_healthy);
    // A transition of the breaker. Before the first one Redis is being looked for.
    void (*on_breaker)(void *context, enum breaker_state state);
    void (*on_beat)(void *context); // now and then while it is open
    // Also during the greeting; our own messages too.
    void (*on_message)(void *context, const char *text, size_t length);
    // For the supervisor's events, as they stand in common/proto.h: of the sources "redis" and
    // "breaker".
    void (*on_event)(void *context, const char *source, const char *name, const char *text);
};

// The config is on (redis_config_is_on) and borrowed, as the handlers are. `id` tells this machine
// from others; copied, as the channel of the messages is. The link comes up by itself, now and
// after each loss.
struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_config *config,
                                   const char *channel, const char *id,
                                   const struct redis_link_handlers *handlers, void *context);

// Replies that are due come with NULL before it returns; nothing comes after it. Not from within a
// handler or a reply. The memory goes with a later turn of the loop. NULL is allowed.
void redis_link_close(struct redis_link *link);

// Open, and the breaker closed.
bool redis_link_is_healthy(const struct redis_link *link);

// Sends a command. on_reply (NULL: nobody cares) comes once, with NULL when the link is lost, or
// not there at all. `is_awaited`: somebody waits, so NULL comes at the deadline, and at once while
// the link is not healthy. An error of a Redis that is of no use as it is (READONLY, LOADING...)
// comes as NULL too, and the link begins anew.
void redis_link_send(struct redis_link *link, const struct redis_word *words, size_t count,
                     bool is_awaited, redis_reply_fn *on_reply, void *context);

// To everybody's on_message.
void redis_link_publish(struct redis_link *link, const char *text, size_t length,
                        redis_reply_fn *on_reply, void *context);

// For INFO: "connected", "connecting" or "waiting"; and the breaker.
const char *redis_link_state(const struct redis_link *link);
enum breaker_state redis_link_breaker(const struct redis_link *link);

#endif
