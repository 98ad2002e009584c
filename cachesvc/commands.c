// The table of commands and the way to them.
//
// A name is found through a hash table that is filled at the first use: by its first, last and
// middle bytes and its length; then it is compared, hardly ever more than once.
#include "commands.h"

#include <string.h>

#include "handlers.h"
#include "mirror_plan.h"

#define READ COMMAND_READONLY
#define READ_FAST (COMMAND_READONLY | COMMAND_FAST)
#define WRITE COMMAND_WRITE
#define WRITE_FAST (COMMAND_WRITE | COMMAND_FAST)
#define GROW (COMMAND_WRITE | COMMAND_DENYOOM)
#define GROW_FAST (COMMAND_WRITE | COMMAND_DENYOOM | COMMAND_FAST)
#define REPLACE (GROW | COMMAND_REPLACES)
#define ATOMIC (COMMAND_WRITE | COMMAND_ATOMIC)
#define ATOMIC_FAST (ATOMIC | COMMAND_FAST)
#define ADD (GROW_FAST | COMMAND_ATOMIC | COMMAND_ADDS)
#define DELETE (ATOMIC | COMMAND_DELETES)
#define PURGE (COMMAND_WRITE | COMMAND_PURGES)
#define OPEN_FAST (COMMAND_FAST | COMMAND_NO_AUTH)
#define NO_KEYS 0, 0, 0
#define ONE_KEY 1, 1, 1
#define ALL_KEYS 1, -1, 1
#define MIXED_KEYS                                                                                 \
    "ERR keys with lock: are this machine's, others all machines'; not both in one command"
#define END                                                                                        \
    {                                                                                              \
        NULL, 0, 0, NO_KEYS, NULL, NULL, NULL, NULL, NULL                                          \
    }

// clang-format off
static const struct command client_commands[] = {
    {"client|getname", 2, 0, NO_KEYS, "connection", "2.6.9", command_client_getname, NULL,
     "The name of this connection."},
    {"client|id", 2, 0, NO_KEYS, "connection", "5.0.0", command_client_id, NULL,
     "The number of this connection."},
    {"client|info", 2, 0, NO_KEYS, "connection", "6.2.0", command_client_info, NULL,
     "What is known of this connection."},
    {"client|list", -2, COMMAND_ADMIN, NO_KEYS, "connection", "2.4.0", command_client_list, NULL,
     "What is known of all connections."},
    {"client|no-evict", 3, COMMAND_ADMIN, NO_KEYS, "connection", "7.0.0", command_client_no_evict,
     NULL, "Accepted: connections are never closed for memory that keys need."},
    {"client|setinfo", 4, 0, NO_KEYS, "connection", "7.2.0", command_client_setinfo, NULL,
     "Says which library this connection is used by."},
    {"client|setname", 3, 0, NO_KEYS, "connection", "2.6.9", command_client_setname, NULL,
     "Gives this connection a name."},
    END};

static const struct command command_commands[] = {
    {"command|count", 2, 0, NO_KEYS, "server", "2.8.13", command_command_count, NULL,
     "How many commands there are."},
    {"command|docs", -2, 0, NO_KEYS, "server", "7.0.0", command_command_docs, NULL,
     "What commands are for."},
    {"command|info", -2, 0, NO_KEYS, "server", "2.8.13", command_command_info, NULL,
     "Arity, flags and keys of commands."},
    {"command|list", -2, 0, NO_KEYS, "server", "7.0.0", command_command_list, NULL,
     "The names of all commands."},
    END};

static const struct command config_commands[] = {
    {"config|get", -3, COMMAND_ADMIN, NO_KEYS, "server", "2.0.0", command_config_get, NULL,
     "Settings whose names match patterns."},
    {"config|resetstat", 2, COMMAND_ADMIN, NO_KEYS, "server", "2.0.0", command_config_resetstat,
     NULL, "Sets the server's counters back."},
    {"config|set", -4, COMMAND_ADMIN, NO_KEYS, "server", "2.0.0", command_config_set, NULL,
     "Refused: no setting can be changed."},
    END};

static const struct command memory_commands[] = {
    {"memory|usage", -3, READ, 2, 2, 1, "server", "4.0.0", command_memory_usage, NULL,
     "The bytes that a key takes."},
    END};

const struct command commands_table[] = {
    {"append", 3, ADD, ONE_KEY, "string", "2.0.0", command_append, NULL,
     "Appends to a value. Returns its length."},
    {"auth", -2, OPEN_FAST, NO_KEYS, "connection", "1.0.0", command_auth, NULL,
     "There is no password: whoever may open the socket may do everything."},
    {"cache.delpattern", 2, PURGE, NO_KEYS, "cache", "0.1.0", command_cache_delpattern, NULL,
     "Deletes the keys that match a pattern. Returns how many there were."},
    {"cache.invalidate", 3, PURGE, NO_KEYS, "cache", "0.1.0", command_cache_invalidate, NULL,
     "Deletes resource:id and what belongs to it. Returns the number of deleted keys."},
    {"cache.lock", -4, GROW_FAST | COMMAND_LOCAL, ONE_KEY, "cache", "0.1.0", command_cache_lock, NULL,
     "Takes the lock of a key for some time: 1, or 0 when another token has it."},
    {"cache.purgetag", -2, WRITE_FAST, NO_KEYS, "cache", "0.1.0", command_cache_purgetag, NULL,
     "Deletes everything that has one of the tags, at once."},
    {"cache.set", -3, REPLACE, ONE_KEY, "cache", "0.1.0", command_cache_set, NULL,
     "Sets a key, with expiry (PX ms) and tags (TAGS n tag...)."},
    {"cache.stats", 1, COMMAND_FAST, NO_KEYS, "cache", "0.1.0", command_cache_stats, NULL,
     "Keys, memory, hits and misses."},
    {"cache.tag", -3, GROW, ONE_KEY, "cache", "0.1.0", command_cache_tag, NULL,
     "Adds tags to a key: 1, or 0 when it is not there."},
    {"cache.unlock", 3, WRITE_FAST | COMMAND_LOCAL, ONE_KEY, "cache", "0.1.0", command_cache_unlock, NULL,
     "Releases the lock of a key: 1, or 0 when the token is not the one that has it."},
    {"cache.wait", 3, COMMAND_BLOCKING | COMMAND_LOCAL, ONE_KEY, "cache", "0.1.0", command_cache_wait, NULL,
     "Waits until the lock of a key is free: 1, or 0 after that many ms."},
    {"client", -2, 0, NO_KEYS, "connection", "2.4.0", NULL, client_commands,
     "What connections say of themselves."},
    {"command", -1, 0, NO_KEYS, "server", "2.8.13", command_command, command_commands,
     "The table of commands."},
    {"config", -2, 0, NO_KEYS, "server", "2.0.0", NULL, config_commands,
     "The server's settings."},
    {"dbsize", 1, READ_FAST, NO_KEYS, "server", "1.0.0", command_dbsize, NULL,
     "How many keys there are."},
    {"decr", 2, ADD, ONE_KEY, "string", "1.0.0", command_decr, NULL,
     "Subtracts one from a number."},
    {"decrby", 3, ADD, ONE_KEY, "string", "1.0.0", command_decrby, NULL,
     "Subtracts from a number."},
    {"del", -2, DELETE, ALL_KEYS, "generic", "1.0.0", command_del, NULL,
     "Deletes keys. Returns how many were there."},
    {"echo", 2, COMMAND_FAST, NO_KEYS, "connection", "1.0.0", command_echo, NULL,
     "Returns what it is given."},
    {"exists", -2, READ_FAST, ALL_KEYS, "generic", "1.0.0", command_exists, NULL,
     "How many of the keys are there."},
    {"expire", -3, ATOMIC_FAST, ONE_KEY, "generic", "1.0.0", command_expire, NULL,
     "Lets a key expire after seconds."},
    {"expireat", -3, ATOMIC_FAST, ONE_KEY, "generic", "1.2.0", command_expireat, NULL,
     "Lets a key expire at a Unix time in seconds."},
    {"expiretime", 2, READ_FAST, ONE_KEY, "generic", "7.0.0", command_expiretime, NULL,
     "When a key expires, as a Unix time in seconds."},
    {"flushall", -1, PURGE, NO_KEYS, "server", "1.0.0", command_flush, NULL,
     "Deletes all keys, at once."},
    {"flushdb", -1, PURGE, NO_KEYS, "server", "1.0.0", command_flush, NULL,
     "Deletes all keys, at once."},
    {"get", 2, READ_FAST, ONE_KEY, "string", "1.0.0", command_get, NULL,
     "The value of a key."},
    {"getdel", 2, DELETE | COMMAND_FAST, ONE_KEY, "string", "6.2.0", command_getdel, NULL,
     "The value of a key, which is deleted."},
    {"getex", -2, ATOMIC_FAST, ONE_KEY, "string", "6.2.0", command_getex, NULL,
     "The value of a key, whose expiry is changed."},
    {"getset", 3, GROW_FAST | COMMAND_ATOMIC, ONE_KEY, "string", "1.0.0", command_getset, NULL,
     "Sets a key. Returns the value it had."},
    {"hello", -1, OPEN_FAST, NO_KEYS, "connection", "6.0.0", command_hello, NULL,
     "Begins a connection, with version 2 of the protocol."},
    {"incr", 2, ADD, ONE_KEY, "string", "1.0.0", command_incr, NULL,
     "Adds one to a number."},
    {"incrby", 3, ADD, ONE_KEY, "string", "1.0.0", command_incrby, NULL,
     "Adds to a number."},
    {"incrbyfloat", 3, ADD, ONE_KEY, "string", "2.6.0", command_incrbyfloat, NULL,
     "Adds to a number that may be a fraction."},
    {"info", -1, 0, NO_KEYS, "server", "1.0.0", command_info, NULL,
     "Facts and numbers about the server."},
    {"keys", 2, READ, NO_KEYS, "generic", "1.0.0", command_keys, NULL,
     "The keys that match a pattern."},
    {"memory", -2, 0, NO_KEYS, "server", "4.0.0", NULL, memory_commands,
     "Memory that keys take."},
    {"mget", -2, READ_FAST, ALL_KEYS, "string", "1.0.0", command_mget, NULL,
     "The values of keys."},
    {"mset", -3, REPLACE, 1, -1, 2, "string", "1.0.1", command_mset, NULL,
     "Sets keys."},
    {"msetnx", -3, GROW | COMMAND_ATOMIC, 1, -1, 2, "string", "1.0.1", command_msetnx, NULL,
     "Sets keys if none of them is there."},
    {"persist", 2, ATOMIC_FAST, ONE_KEY, "generic", "2.2.0", command_persist, NULL,
     "Lets a key not expire."},
    {"pexpire", -3, ATOMIC_FAST, ONE_KEY, "generic", "2.6.0", command_pexpire, NULL,
     "Lets a key expire after milliseconds."},
    {"pexpireat", -3, ATOMIC_FAST, ONE_KEY, "generic", "2.6.0", command_pexpireat, NULL,
     "Lets a key expire at a Unix time in milliseconds."},
    {"pexpiretime", 2, READ_FAST, ONE_KEY, "generic", "7.0.0", command_pexpiretime, NULL,
     "When a key expires, as a Unix time in milliseconds."},
    {"ping", -1, COMMAND_FAST, NO_KEYS, "connection", "1.0.0", command_ping, NULL,
     "Says that the server is there."},
    {"psetex", 4, REPLACE, ONE_KEY, "string", "2.6.0", command_psetex, NULL,
     "Sets a key that expires after milliseconds."},
    {"pttl", 2, READ_FAST, ONE_KEY, "generic", "2.6.0", command_pttl, NULL,
     "How many milliseconds a key has left."},
    {"quit", -1, OPEN_FAST, NO_KEYS, "connection", "1.0.0", command_quit, NULL,
     "Closes the connection."},
    {"rename", 3, DELETE, 1, 2, 1, "generic", "1.0.0", command_rename, NULL,
     "Gives a key another name."},
    {"renamenx", 3, DELETE | COMMAND_FAST, 1, 2, 1, "generic", "1.0.0", command_renamenx, NULL,
     "Gives a key another name that no key has."},
    {"reset", 1, OPEN_FAST, NO_KEYS, "connection", "6.2.0", command_reset, NULL,
     "Makes the connection as it was in the beginning."},
    {"scan", -2, READ, NO_KEYS, "generic", "2.8.0", command_scan, NULL,
     "Some of the keys, and where to go on."},
    {"select", 2, COMMAND_FAST, NO_KEYS, "connection", "1.0.0", command_select, NULL,
     "Selects the database 0, the only one."},
    {"set", -3, REPLACE | COMMAND_ATOMIC, ONE_KEY, "string", "1.0.0", command_set, NULL,
     "Sets a key."},
    {"setex", 4, REPLACE, ONE_KEY, "string", "2.0.0", command_setex, NULL,
     "Sets a key that expires after seconds."},
    {"setnx", 3, GROW_FAST | COMMAND_ATOMIC, ONE_KEY, "string", "1.0.0", command_setnx, NULL,
     "Sets a key that is not there."},
    {"strlen", 2, READ_FAST, ONE_KEY, "string", "2.2.0", command_strlen, NULL,
     "The length of a value."},
    {"touch", -2, READ_FAST, ALL_KEYS, "generic", "3.2.1", command_touch, NULL,
     "Counts keys as read. Returns how many are there."},
    {"ttl", 2, READ_FAST, ONE_KEY, "generic", "1.0.0", command_ttl, NULL,
     "How many seconds a key has left."},
    {"type", 2, READ_FAST, ONE_KEY, "generic", "1.0.0", command_type, NULL,
     "The kind of a value: string, or none."},
    {"unlink", -2, DELETE | COMMAND_FAST, ALL_KEYS, "generic", "4.0.0", command_del, NULL,
     "Deletes keys. Returns how many were there."},
    END};
// clang-format on

// --- finding ------------------------------------------------------------------------------------

enum { INDEX_SIZE = 512 };

static uint8_t by_hash[INDEX_SIZE]; // place in commands_table plus 1

static unsigned hash_of(const char *name, size_t length)
{
    unsigned first = (unsigned char)name[0] | 0x20u;
    unsigned middle = (unsigned char)name[length / 2] | 0x20u;
    unsigned last = (unsigned char)name[length - 1] | 0x20u;
    return ((first * 31 + middle) * 37 + last * 7 + (unsigned)length * 61) % INDEX_SIZE;
}

static void fill_index(void)
{
    for (size_t i = 0; commands_table[i].name; ++i) {
        const char *name = commands_table[i].name;
        unsigned at = hash_of(name, strlen(name));
        while (by_hash[at] != 0)
            at = (at + 1) % INDEX_SIZE;
        by_hash[at] = (uint8_t)(i + 1);
    }
}

const struct command *commands_find(const struct resp_arg *name)
{
    static bool is_filled;
    if (!is_filled) {
        fill_index();
        is_filled = true;
    }
    if (name->length == 0)
        return NULL;
    unsigned at = hash_of(name->bytes, name->length);
    while (by_hash[at] != 0 && !arg_is(name, commands_table[by_hash[at] - 1].name))
        at = (at + 1) % INDEX_SIZE;
    return by_hash[at] != 0 ? &commands_table[by_hash[at] - 1] : NULL;
}

const struct command *commands_find_sub(const struct command *command, const struct resp_arg *name)
{
    size_t prefix = strlen(command->name) + 1;
    for (const struct command *sub = command->subcommands; sub && sub->name; ++sub)
        if (arg_is(name, sub->name + prefix))
            return sub;
    return NULL;
}

size_t commands_count(void)
{
    return sizeof commands_table / sizeof *commands_table - 1;
}

// --- running ------------------------------------------------------------------------------------

enum { SHOWN_MAX = 128 }; // bytes of what was not understood

static int shown(const struct resp_arg *arg, size_t most)
{
    size_t length = strnlen(arg->bytes, arg->length);
    return (int)(length < most ? length : most);
}

static void refuse_unknown(struct request *request)
{
    struct buf args = BUF_INIT;
    for (size_t i = 1; i < request->count && args.length < SHOWN_MAX; ++i)
        buf_printf(&args, "'%.*s' ", shown(&request->args[i], SHOWN_MAX - args.length),
                   request->args[i].bytes);
    reply_error(request->out, "ERR unknown command '%.*s', with args beginning with: %s",
                shown(&request->args[0], SHOWN_MAX), request->args[0].bytes, buf_text(&args));
    buf_free(&args);
}

static void refuse_unknown_sub(struct request *request)
{
    char name[32];
    size_t i = 0;
    for (; request->command->name[i]; ++i)
        name[i] = (char)(request->command->name[i] & ~0x20);
    name[i] = '\0';
    reply_error(request->out, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                shown(&request->args[1], SHOWN_MAX), request->args[1].bytes, name);
}

static bool is_arity_right(const struct command *command, size_t count)
{
    return command->arity >= 0 ? count == (size_t)command->arity : count >= (size_t)-command->arity;
}

// The command or its subcommand. false: the error is replied.
static bool find_command(struct request *request)
{
    const struct resp_arg *args = request->args;
    request->command = commands_find(&args[0]);
    if (!request->command) {
        refuse_unknown(request);
        return false;
    }
    if (!request->command->subcommands || request->count == 1)
        return true;
    const struct command *sub = commands_find_sub(request->command, &args[1]);
    if (!sub)
        refuse_unknown_sub(request);
    else
        request->command = sub;
    return sub != NULL;
}

const struct command *commands_match(const struct resp_arg *args, size_t count)
{
    const struct command *command = commands_find(&args[0]);
    return command && !command->subcommands && is_arity_right(command, count) ? command : NULL;
}

void commands_run(struct request *request)
{
    size_t reply_from = request->out->length;
    request->after = AFTER_NOTHING;
    request->command = NULL;
    request->service->commands++;
    if (find_command(request)) {
        request->session->last = request->command;
        if (!is_arity_right(request->command, request->count))
            reply_wrong_count(request);
        else if (request->service->mirror &&
                 mirror_mixes_keys(request->command, request->args, request->count))
            reply_error(request->out, MIXED_KEYS);
        else
            request->command->run(request);
    }
    request->session->last_ms = request->now_ms;
    if (request->out->length > reply_from && request->out->data[reply_from] == '-')
        request->service->errors++;
}
