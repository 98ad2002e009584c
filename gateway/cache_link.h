// A worker's connection to cachesvc (cache.sock): commands out, replies in, in order. hiredis
// formats the one and reads the other.
//
// Nobody waits long for a cache: each call has a limit, after which there is no reply. While
// cachesvc owes a reply beyond its limit it is taken for stopped, and calls end at once; so they do
// while there is no connection. It reconnects by itself.
#ifndef GW_GATEWAY_CACHE_LINK_H
#define GW_GATEWAY_CACHE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "span.h"

struct cache_call;
struct cache_link;

// The path is copied; the name, for the log, is a constant. Never fails: what is not there may
// come. on_open is called each time cachesvc has answered on a new connection; NULL is allowed.
struct cache_link *cache_link_open(uv_loop_t *loop, const char *name, const char *path,
                                   void (*on_open)(void *context), void *context);

// Has cachesvc answered on this connection, and is it not late with a reply?
bool cache_link_is_of_use(const struct cache_link *link);

// Calls that wait end without a reply, now. The memory goes in the loop's close callbacks. NULL is
// allowed.
void cache_link_close(struct cache_link *link);

// Sends a command (its words are copied). on_reply is called once, from the loop, never from within
// this call: with the integer that was replied (other replies: 0), or with `replied` false; it may
// close the link. Returns NULL, and calls nothing, when it cannot be sent now.
struct cache_call *cache_link_call(struct cache_link *link, const struct span *words, size_t count,
                                   uint32_t limit_ms,
                                   void (*on_reply)(void *context, bool replied, int64_t number),
                                   void *context);

// The same for whom the reply is nothing to wait for. false: it was not sent.
bool cache_link_tell(struct cache_link *link, const struct span *words, size_t count);

// on_reply will not be called. For a call that waits.
void cache_call_cancel(struct cache_call *call);

#endif
