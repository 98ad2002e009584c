// The commands: one table (commands.c) says what there is, handlers (cmd_*.c) do it.
//
// A handler sees its arguments, the store, the time and where the reply goes, and does no I/O.
// What goes beyond a reply it leaves in `after`.
#ifndef GW_CACHESVC_COMMANDS_H
#define GW_CACHESVC_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "job.h"
#include "resp.h"
#include "session.h"
#include "store.h"
#include "waiters.h"

// The Redis that clients may take us for.
#define COMPATIBLE_VERSION "7.0.15"

struct mirror;

enum { WAIT_MAX_MS = 3600 * 1000 };

// What all connections share.
struct service {
    struct store *store;
    struct mirror *mirror; // NULL: there is no Redis behind us
    struct sessions sessions;
    struct waiters waiters;
    struct buf scratch; // of one command: a value that is being changed
    size_t value_max;   // of one that grows (APPEND)
    size_t reply_max;   // a longer one is given up
    uint64_t started_ms;
    uint64_t commands, errors, connections, rejected;
    uint64_t bytes_in, bytes_out;
    uint64_t commands_per_second;
};

enum after {
    AFTER_NOTHING,
    AFTER_CLOSE, // the connection, when the reply is sent
    AFTER_BREAK, // the connection, now: the reply is not complete
    AFTER_WAIT,  // no reply yet: 1 is due when the key wait_key is gone, 0 after wait_ms
    AFTER_JOB,   // no reply yet: `job` gives it. The caller owns the job
};

struct request {
    struct service *service;
    struct store *store; // the service's
    struct session *session;
    const struct command *command;
    const struct resp_arg *args; // args[0] is the command's name
    size_t count;
    uint64_t now_ms; // clock_wall_ms
    struct buf *out;
    enum after after;
    uint64_t purged;          // of the keys that it deletes so many were in Redis
    struct resp_arg wait_key; // valid until the next command
    uint64_t wait_ms;
    struct job *job;
};

enum command_flag {
    COMMAND_WRITE = 1,
    COMMAND_READONLY = 2,
    COMMAND_DENYOOM = 4, // needs memory; only said to clients
    COMMAND_FAST = 8,
    COMMAND_ADMIN = 16,
    COMMAND_BLOCKING = 32,
    COMMAND_NO_AUTH = 64,
    // What they mean to a Redis behind us (mirror_plan.h).
    COMMAND_REPLACES = 128, // whatever its keys held
    COMMAND_ATOMIC = 256,   // what it does depends on what its keys held
    COMMAND_ADDS = 512,     // to what its keys held
    COMMAND_DELETES = 1024, // its keys, or some
    COMMAND_LOCAL = 2048,   // its keys are never there
    COMMAND_PURGES = 4096,  // keys that it does not name
};

struct command {
    const char *name;      // in lower case; of a subcommand "client|id"
    int arity;             // arguments with the name; negative: at least that many
    unsigned flags;        // enum command_flag
    int first, last, step; // which arguments are keys; 0: none
    const char *group, *since;
    void (*run)(struct request *request); // NULL: it has subcommands
    const struct command *subcommands;    // NULL, or up to one without a name
    const char *summary;
};

// The command that these run, with as many arguments as it needs; NULL: they will be refused.
const struct command *commands_match(const struct resp_arg *args, size_t count);

// Answers one command. Sets request->command and request->after.
void commands_run(struct request *request);

// The whole table, up to one without a name; and one of it, or NULL.
extern const struct command commands_table[];
size_t commands_count(void);
const struct command *commands_find(const struct resp_arg *name);
const struct command *commands_find_sub(const struct command *command, const struct resp_arg *name);

// The locks that end with a session that ends.
void cache_release_locks(struct service *service, struct session *session, uint64_t now_ms);

#endif
