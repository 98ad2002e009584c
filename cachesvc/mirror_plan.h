// What a command needs of the Redis behind us before it can be run here. No I/O.
#ifndef GW_CACHESVC_MIRROR_PLAN_H
#define GW_CACHESVC_MIRROR_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "commands.h"

enum mirror_plan {
    PLAN_RUN,   // nothing: it has no keys, or replaces what they held
    PLAN_FETCH, // the values of its keys that are not here
    PLAN_ASK,   // to be done there, since two machines may do it at once
    PLAN_PURGE, // that the keys it deletes are deleted there first, or they would come back
};

// args[0] is the name of the command, whose arity is right.
enum mirror_plan mirror_plan(const struct command *command, const struct resp_arg *args,
                             size_t count);

// The keys among its arguments: the first one, and the one after; 0: there is none (any more).
size_t mirror_first_key(const struct command *command);
size_t mirror_next_key(const struct command *command, size_t at, size_t count);

// Whether a key is one of those in which machines keep what they know of each other. In Redis
// nobody but them touches these.
bool mirror_is_reserved(const char *key, size_t length);
#define MIRROR_RESERVED "~gwctl:"

// Whether a key is one of this machine alone: a reserved one, or a lock.
bool mirror_is_local(const char *key, size_t length);

// Whether a command has keys of this machine and keys of all: no plan fits both.
bool mirror_mixes_keys(const struct command *command, const struct resp_arg *args, size_t count);

// The patterns of a PLAN_PURGE, in glob's language; how many. They are the caller's to free.
enum { MIRROR_PATTERNS_MAX = 3 };
size_t mirror_patterns(const struct command *command, const struct resp_arg *args,
                       struct buf patterns[MIRROR_PATTERNS_MAX]);

// Appends to a pattern what matches this text alone.
void mirror_append_literally(struct buf *pattern, const char *text, size_t length);

// The key that CACHE.INVALIDATE deletes beside its patterns, into an empty buffer. false: it is a
// reserved one, which stays there.
bool mirror_invalidated_key(const struct resp_arg *args, struct buf *key);

#endif
