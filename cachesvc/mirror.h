// The cache and the Redis behind it, which several machines share: what is written here is written
// there, what is missing here is looked for there, and what another machine changes is dropped
// here.
//
// Writing: the key is changed in the store, and what the store holds then is sent at the end of the
// loop's turn, many keys at a time. Nobody waits for it. Redis away: changed keys are remembered
// (mirror_queue.h), up to `queue`; beyond that everything with our prefix is deleted there when it
// is back.
//
// Reading: a command waits for the keys that are not here, as long as `deadline`, and runs then.
// What two machines may do at once (INCR, SET NX...) is done by Redis. With Redis away, or slow,
// all commands run here at once.
//
// Changes of others come as messages (mirror_message.h) after they were made in Redis. What was
// missed while the link was down is told by epochs: each machine's number in the hash
// <prefix>~gwctl:epochs grows with each of its messages. Is one greater than what was heard of, all
// keys here are dropped.
#ifndef GW_CACHESVC_MIRROR_H
#define GW_CACHESVC_MIRROR_H

#include <stdbool.h>
#include <uv.h>

#include "commands.h"

struct mirror;
struct mirror_wait;
struct redis_config;

// The config is on (redis_config_is_on); it and the store are borrowed. on_event is as in
// redis_link.h.
struct mirror *mirror_open(uv_loop_t *loop, const struct redis_config *config, struct store *store,
                           void (*on_event)(void *context, const char *source, const char *name,
                                            const char *text),
                           void *context);

// Runs the loop until Redis has been told everything, or cannot be, or that time is over.
void mirror_drain(struct mirror *mirror, unsigned limit_ms);

// Commands that wait go on before it returns. The memory goes with a later turn of the loop. NULL
// is allowed.
void mirror_close(struct mirror *mirror);

struct mirror_answer {
    const struct buf *reply; // the command was done: this is what Redis said; NULL: run it
    uint64_t purged;         // so many of the keys that it deletes were in Redis
};

// To be called with a command before it runs. NULL: run it now. Else it has to wait; the args are
// not needed any more. `again`: a read whose keys were dropped while it waited.
struct mirror_wait *mirror_before(struct mirror *mirror, const struct command *command,
                                  const struct resp_arg *args, size_t count, bool again);

// What to call then, once; to be said before the loop goes on.
void mirror_on_ready(struct mirror_wait *wait,
                     void (*on_ready)(void *context, const struct mirror_answer *answer),
                     void *context);

// on_ready will not come.
void mirror_cancel(struct mirror_wait *wait);

// To be called after a command was run here, with its reply; one that comes later is empty.
void mirror_after(struct mirror *mirror, const struct command *command, const struct resp_arg *args,
                  size_t count, const char *reply, size_t reply_length);

// Grows when keys are dropped here that may be in Redis.
uint64_t mirror_drops(const struct mirror *mirror);

// The lines of INFO.
void mirror_info(const struct mirror *mirror, struct buf *text);

#endif
