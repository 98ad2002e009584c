// One connection to Redis: hiredis on libuv.
//
// hiredis knows no deadlines and resolves no name without blocking: the address is resolved before
// (redis_link.h), and who waits for a reply has its own clock. The adapter that comes with hiredis
// never tells of a refused connection (libuv reports such a descriptor as an error, which it
// drops), so this has its own.
#ifndef GW_CACHESVC_REDIS_CONNECTION_H
#define GW_CACHESVC_REDIS_CONNECTION_H

#include <hiredis/hiredis.h>
#include <stddef.h>
#include <uv.h>

#include "common/err.h"

struct redis_connection;

// Where: a Unix socket (port 0) or a numeric address.
struct redis_address {
    char host[256];
    int port;
};

// A word of a command.
struct redis_word {
    const char *bytes;
    size_t length;
};

// A literal as a word.
#define REDIS_WORD(text) ((struct redis_word){(text), sizeof(text) - 1})

// Borrowed for the call. reply NULL: the connection is gone before there was one.
typedef void redis_reply_fn(void *context, const redisReply *reply);

// Begins to connect. Commands may be sent at once; they go when it is connected. on_lost comes
// once, after the replies that will not come (NULL), when it fails or ends; not after
// redis_connection_close. NULL with err: it failed at once.
struct redis_connection *redis_connection_open(uv_loop_t *loop, const struct redis_address *address,
                                               void (*on_lost)(void *context, const char *reason),
                                               void *context, struct err *err) GW_MUST_USE;

// The words are copied. on_reply may be NULL. Nothing is sent after the connection was lost or
// closed, but on_reply comes, with NULL, before this returns.
void redis_connection_send(struct redis_connection *connection, const struct redis_word *words,
                           size_t count, redis_reply_fn *on_reply, void *context);

// The reply to SUBSCRIBE and every message come to on_message, as hiredis has them.
void redis_connection_subscribe(struct redis_connection *connection, const struct redis_word *words,
                                size_t count, redis_reply_fn *on_message, void *context);

// Closes now, and drops what is still unsent; replies that are due come with NULL, now or, from
// within a reply, when that returns. The pointer is dead after this. NULL is allowed.
void redis_connection_close(struct redis_connection *connection);

#endif
