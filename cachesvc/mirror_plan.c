// Plans come from the flags of the command table; SET alone has to be looked into.
#include "mirror_plan.h"

#include <string.h>

#include "handlers.h"

static bool has_condition(const struct resp_arg *args, size_t count)
{
    for (size_t i = 3; i < count; ++i)
        if (arg_is(&args[i], "nx") || arg_is(&args[i], "xx") || arg_is(&args[i], "get") ||
            arg_is(&args[i], "keepttl"))
            return true;
    return false;
}

// Of its keys, those of this machine alone.
static size_t count_local_keys(const struct command *command, const struct resp_arg *args,
                               size_t count, size_t *keys)
{
    size_t local = 0;
    *keys = 0;
    for (size_t at = mirror_first_key(command); at != 0; at = mirror_next_key(command, at, count)) {
        ++*keys;
        local += mirror_is_local(args[at].bytes, args[at].length);
    }
    return local;
}

bool mirror_mixes_keys(const struct command *command, const struct resp_arg *args, size_t count)
{
    size_t keys, local = count_local_keys(command, args, count, &keys);
    return local > 0 && local < keys;
}

enum mirror_plan mirror_plan(const struct command *command, const struct resp_arg *args,
                             size_t count)
{
    unsigned flags = command->flags;
    size_t keys;
    if (flags & COMMAND_PURGES)
        return PLAN_PURGE;
    if (command->first == 0 || flags & COMMAND_LOCAL ||
        count_local_keys(command, args, count, &keys) > 0)
        return PLAN_RUN;
    if (flags & COMMAND_ATOMIC && (!(flags & COMMAND_REPLACES) || has_condition(args, count)))
        return PLAN_ASK;
    return flags & COMMAND_REPLACES ? PLAN_RUN : PLAN_FETCH;
}

size_t mirror_first_key(const struct command *command)
{
    return command->flags & COMMAND_LOCAL ? 0 : (size_t)command->first;
}

size_t mirror_next_key(const struct command *command, size_t at, size_t count)
{
    size_t next = at + (size_t)command->step;
    size_t last = command->last < 0 ? count - (size_t)-command->last : (size_t)command->last;
    return next <= last && next < count ? next : 0;
}

static bool begins_with(const char *key, size_t length, const char *word)
{
    return length >= strlen(word) && memcmp(key, word, strlen(word)) == 0;
}

bool mirror_is_reserved(const char *key, size_t length)
{
    return begins_with(key, length, MIRROR_RESERVED);
}

bool mirror_is_local(const char *key, size_t length)
{
    return mirror_is_reserved(key, length) || begins_with(key, length, "lock:");
}

// --- patterns -----------------------------------------------------------------------------------

void mirror_append_literally(struct buf *pattern, const char *text, size_t length)
{
    for (size_t i = 0; i < length; ++i) {
        if (text[i] && strchr("*?[]\\", text[i]))
            buf_append(pattern, "\\", 1);
        buf_append(pattern, &text[i], 1);
    }
}

// <before><resource>* or <resource>:<id>:*, as cmd_cache.c has them.
static void invalidated(struct buf *pattern, const char *before, const struct resp_arg *resource,
                        const struct resp_arg *id)
{
    buf_append_text(pattern, before);
    mirror_append_literally(pattern, resource->bytes, resource->length);
    if (id) {
        buf_append(pattern, ":", 1);
        mirror_append_literally(pattern, id->bytes, id->length);
        buf_append(pattern, ":", 1);
    }
    buf_append(pattern, "*", 1);
}

size_t mirror_patterns(const struct command *command, const struct resp_arg *args,
                       struct buf patterns[MIRROR_PATTERNS_MAX])
{
    for (size_t i = 0; i < MIRROR_PATTERNS_MAX; ++i)
        patterns[i] = (struct buf)BUF_INIT;
    if (command->run == command_cache_invalidate) {
        invalidated(&patterns[0], "", &args[1], &args[2]);
        invalidated(&patterns[1], "list:", &args[1], NULL);
        invalidated(&patterns[2], "query:", &args[1], NULL);
        return 3;
    }
    if (command->run == command_cache_delpattern)
        buf_append(&patterns[0], args[1].bytes, args[1].length);
    else
        buf_append(&patterns[0], "*", 1); // FLUSHDB, FLUSHALL
    return 1;
}

bool mirror_invalidated_key(const struct resp_arg *args, struct buf *key)
{
    buf_append(key, args[1].bytes, args[1].length);
    buf_append(key, ":", 1);
    buf_append(key, args[2].bytes, args[2].length);
    return !mirror_is_local(key->data, key->length);
}
