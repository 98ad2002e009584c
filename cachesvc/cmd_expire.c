// When keys expire.
#include "handlers.h"

#include "number.h"

enum { IF_NONE = 1, IF_SOME = 2, IF_LATER = 4, IF_EARLIER = 8 };

// NX, XX, GT, LT. false: the error is replied.
static bool read_conditions(struct request *request, unsigned *conditions)
{
    *conditions = 0;
    for (size_t i = 3; i < request->count; ++i) {
        const struct resp_arg *arg = &request->args[i];
        unsigned condition = arg_is(arg, "nx")   ? IF_NONE
                             : arg_is(arg, "xx") ? IF_SOME
                             : arg_is(arg, "gt") ? IF_LATER
                             : arg_is(arg, "lt") ? IF_EARLIER
                                                 : 0;
        if (condition == 0) {
            reply_error(request->out, "ERR Unsupported option %.*s", (int)arg->length, arg->bytes);
            return false;
        }
        *conditions |= condition;
    }
    if (*conditions & IF_NONE && *conditions & ~(unsigned)IF_NONE) {
        reply_error(request->out,
                    "ERR NX and XX, GT or LT options at the same time are not compatible");
        return false;
    }
    if (*conditions & IF_LATER && *conditions & IF_EARLIER) {
        reply_error(request->out, "ERR GT and LT options at the same time are not compatible");
        return false;
    }
    return true;
}

// A key without expiry expires later than any other.
static bool conditions_hold(unsigned conditions, uint64_t old_ms, int64_t new_ms)
{
    bool is_later = old_ms != 0 && (new_ms > 0 && (uint64_t)new_ms > old_ms);
    bool is_earlier = old_ms == 0 || new_ms < 0 || (uint64_t)new_ms < old_ms;
    return !(conditions & IF_NONE && old_ms != 0) && !(conditions & IF_SOME && old_ms == 0) &&
           !(conditions & IF_LATER && !is_later) && !(conditions & IF_EARLIER && !is_earlier);
}

// Unlike in SET, any time in the past is one.
static bool read_time(struct request *request, enum expire_kind kind, int64_t *expires_ms)
{
    int64_t value;
    if (!arg_integer(request, 2, &value))
        return false;
    int64_t factor = kind == EXPIRE_EX || kind == EXPIRE_EXAT ? 1000 : 1;
    int64_t base = kind == EXPIRE_EX || kind == EXPIRE_PX ? (int64_t)request->now_ms : 0;
    if (value > INT64_MAX / factor || value < INT64_MIN / factor ||
        value * factor > INT64_MAX - base) {
        reply_error(request->out, "ERR invalid expire time in '%s' command",
                    request->command->name);
        return false;
    }
    *expires_ms = value * factor + base;
    return true;
}

static void expire(struct request *request, enum expire_kind kind)
{
    const struct resp_arg *key = &request->args[1];
    struct store_value value;
    int64_t expires_ms;
    unsigned conditions;
    if (!read_conditions(request, &conditions) || !read_time(request, kind, &expires_ms))
        return;
    if (!value_find(request, 1, &value) ||
        !conditions_hold(conditions, value.expires_ms, expires_ms)) {
        reply_integer(request->out, 0);
        return;
    }
    if (expires_ms <= (int64_t)request->now_ms)
        store_delete(request->store, key->bytes, key->length, request->now_ms);
    else
        store_expire(request->store, &value, (uint64_t)expires_ms);
    reply_integer(request->out, 1);
}

void command_expire(struct request *request)
{
    expire(request, EXPIRE_EX);
}

void command_pexpire(struct request *request)
{
    expire(request, EXPIRE_PX);
}

void command_expireat(struct request *request)
{
    expire(request, EXPIRE_EXAT);
}

void command_pexpireat(struct request *request)
{
    expire(request, EXPIRE_PXAT);
}

// -2: no key; -1: no expiry; else the time, from `base` on.
static void reply_expiry(struct request *request, uint64_t base_ms, bool in_seconds)
{
    struct store_value value;
    int64_t reply = -2;
    if (value_find(request, 1, &value)) {
        int64_t ms = (int64_t)(value.expires_ms - base_ms);
        reply = value.expires_ms == 0 ? -1 : in_seconds ? ms / 1000 + (ms % 1000 >= 500) : ms;
    }
    reply_integer(request->out, reply);
}

void command_ttl(struct request *request)
{
    reply_expiry(request, request->now_ms, true);
}

void command_pttl(struct request *request)
{
    reply_expiry(request, request->now_ms, false);
}

void command_expiretime(struct request *request)
{
    reply_expiry(request, 0, true);
}

void command_pexpiretime(struct request *request)
{
    reply_expiry(request, 0, false);
}

void command_persist(struct request *request)
{
    struct store_value value;
    bool had_expiry = value_find(request, 1, &value) && value.expires_ms != 0;
    if (had_expiry)
        store_expire(request->store, &value, 0);
    reply_integer(request->out, had_expiry);
}
