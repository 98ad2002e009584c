// Strings: reading, setting, appending.
#include "handlers.h"

#include <string.h>

// --- reading ------------------------------------------------------------------------------------

static void reply_value_or_null(struct request *request, size_t index)
{
    struct store_value value;
    if (value_get(request, index, &value))
        value_reply(request, &value);
    else
        reply_null_bulk(request->out);
}

void command_get(struct request *request)
{
    reply_value_or_null(request, 1);
}

void command_mget(struct request *request)
{
    reply_array(request->out, request->count - 1);
    for (size_t i = 1; i < request->count; ++i) {
        reply_value_or_null(request, i);
        if (request->out->length > request->service->reply_max) {
            request->after = AFTER_BREAK;
            return;
        }
    }
}

void command_strlen(struct request *request)
{
    struct store_value value;
    reply_integer(request->out, value_get(request, 1, &value) ? value.length : 0);
}

static void delete_key(struct request *request, size_t index)
{
    const struct resp_arg *key = &request->args[index];
    store_delete(request->store, key->bytes, key->length, request->now_ms);
}

void command_getdel(struct request *request)
{
    struct store_value value;
    if (!value_get(request, 1, &value)) {
        reply_null_bulk(request->out);
        return;
    }
    value_reply(request, &value);
    delete_key(request, 1);
}

// --- options of SET and GETEX -------------------------------------------------------------------

enum option {
    OPTION_NX = 1,
    OPTION_XX = 2,
    OPTION_GET = 4,
    OPTION_KEEPTTL = 8,
    OPTION_PERSIST = 16,
    OPTION_EX = 32, // and in this order, as enum expire_kind
    OPTION_PX = 64,
    OPTION_EXAT = 128,
    OPTION_PXAT = 256,
};

enum {
    OPTIONS_OF_SET = OPTION_NX | OPTION_XX | OPTION_GET | OPTION_KEEPTTL,
    OPTIONS_OF_GETEX = OPTION_PERSIST,
    OPTIONS_OF_TIME =
        OPTION_KEEPTTL | OPTION_PERSIST | OPTION_EX | OPTION_PX | OPTION_EXAT | OPTION_PXAT
};

static const struct option_word {
    const char *word;
    unsigned option;
    unsigned excludes;
} option_words[] = {
    {"nx", OPTION_NX, OPTION_XX},
    {"xx", OPTION_XX, OPTION_NX},
    {"get", OPTION_GET, 0},
    {"keepttl", OPTION_KEEPTTL, OPTIONS_OF_TIME & ~OPTION_KEEPTTL},
    {"persist", OPTION_PERSIST, OPTIONS_OF_TIME & ~OPTION_PERSIST},
    {"ex", OPTION_EX, OPTIONS_OF_TIME & ~OPTION_EX},
    {"px", OPTION_PX, OPTIONS_OF_TIME & ~OPTION_PX},
    {"exat", OPTION_EXAT, OPTIONS_OF_TIME & ~OPTION_EXAT},
    {"pxat", OPTION_PXAT, OPTIONS_OF_TIME & ~OPTION_PXAT},
    {NULL, 0, 0},
};

struct options {
    unsigned set;     // enum option
    size_t expiry_at; // the argument, 0: none
    enum expire_kind expiry_kind;
    uint64_t expires_ms;
};

// One option at *at, which moves to its last argument. false: it is none that may stand here.
static bool read_option(const struct request *request, size_t *at, unsigned allowed,
                        struct options *options)
{
    const struct option_word *word = option_words;
    while (word->word && !arg_is(&request->args[*at], word->word))
        ++word;
    if (!word->word || !(word->option & allowed) || options->set & word->excludes)
        return false;
    options->set |= word->option;
    if (word->option < OPTION_EX)
        return true;
    options->expiry_at = ++*at;
    options->expiry_kind = word->option == OPTION_EX     ? EXPIRE_EX
                           : word->option == OPTION_PX   ? EXPIRE_PX
                           : word->option == OPTION_EXAT ? EXPIRE_EXAT
                                                         : EXPIRE_PXAT;
    return *at < request->count;
}

static bool read_options(struct request *request, size_t first, unsigned allowed,
                         struct options *options)
{
    *options = (struct options){.set = 0};
    allowed |= OPTION_EX | OPTION_PX | OPTION_EXAT | OPTION_PXAT;
    for (size_t at = first; at < request->count; ++at) {
        if (!read_option(request, &at, allowed, options)) {
            reply_syntax_error(request);
            return false;
        }
    }
    return true;
}

static bool read_expiry(struct request *request, struct options *options)
{
    return options->expiry_at == 0 ||
           arg_expiry(request, options->expiry_at, options->expiry_kind, &options->expires_ms);
}

void command_getex(struct request *request)
{
    struct options options;
    struct store_value value;
    if (!read_options(request, 2, OPTIONS_OF_GETEX, &options))
        return;
    if (!value_get(request, 1, &value)) {
        reply_null_bulk(request->out);
        return;
    }
    if (!read_expiry(request, &options))
        return;
    value_reply(request, &value);
    if (options.expires_ms != 0 && options.expires_ms <= request->now_ms)
        delete_key(request, 1);
    else if (options.expires_ms != 0 || options.set & OPTION_PERSIST)
        store_expire(request->store, &value, options.expires_ms);
}

// --- setting ------------------------------------------------------------------------------------

static void set_and_reply_ok(struct request *request, const struct resp_arg *value,
                             uint64_t expires_ms)
{
    if (value_set(request, 1, value, expires_ms))
        reply_simple(request->out, "OK");
}

// The reply is there already, unless setting fails: then the error takes its place.
static void set_after_reply(struct request *request, size_t reply_from, uint64_t expires_ms)
{
    struct buf *out = request->out;
    size_t reply_end = out->length;
    if (value_set(request, 1, &request->args[2], expires_ms))
        return;
    memmove(out->data + reply_from, out->data + reply_end, out->length - reply_end);
    out->length -= reply_end - reply_from;
}

static void set_with_options(struct request *request)
{
    struct options options;
    struct store_value old;
    size_t reply_from = request->out->length;
    if (!read_options(request, 3, OPTIONS_OF_SET, &options) || !read_expiry(request, &options))
        return;
    if (options.set & OPTION_GET)
        reply_value_or_null(request, 1);
    bool exists = value_find(request, 1, &old);
    if ((options.set & OPTION_NX && exists) || (options.set & OPTION_XX && !exists)) {
        if (!(options.set & OPTION_GET))
            reply_null_bulk(request->out);
        return;
    }
    if (options.set & OPTION_KEEPTTL && exists)
        options.expires_ms = old.expires_ms;
    if (options.set & OPTION_GET)
        set_after_reply(request, reply_from, options.expires_ms);
    else
        set_and_reply_ok(request, &request->args[2], options.expires_ms);
}

void command_set(struct request *request)
{
    if (request->count == 3)
        set_and_reply_ok(request, &request->args[2], 0);
    else
        set_with_options(request);
}

void command_getset(struct request *request)
{
    size_t reply_from = request->out->length;
    reply_value_or_null(request, 1);
    set_after_reply(request, reply_from, 0);
}

void command_setnx(struct request *request)
{
    struct store_value old;
    if (value_find(request, 1, &old))
        reply_integer(request->out, 0);
    else if (value_set(request, 1, &request->args[2], 0))
        reply_integer(request->out, 1);
}

void command_setex(struct request *request)
{
    uint64_t expires_ms;
    if (arg_expiry(request, 2, EXPIRE_EX, &expires_ms))
        set_and_reply_ok(request, &request->args[3], expires_ms);
}

void command_psetex(struct request *request)
{
    uint64_t expires_ms;
    if (arg_expiry(request, 2, EXPIRE_PX, &expires_ms))
        set_and_reply_ok(request, &request->args[3], expires_ms);
}

static bool has_pairs(struct request *request)
{
    if (request->count % 2 == 1)
        return true;
    reply_wrong_count(request);
    return false;
}

// Those before one that is too large are set.
static bool set_pairs(struct request *request)
{
    for (size_t i = 1; i < request->count; i += 2)
        if (!value_set(request, i, &request->args[i + 1], 0))
            return false;
    return true;
}

void command_mset(struct request *request)
{
    if (has_pairs(request) && set_pairs(request))
        reply_simple(request->out, "OK");
}

void command_msetnx(struct request *request)
{
    struct store_value old;
    if (!has_pairs(request))
        return;
    for (size_t i = 1; i < request->count; i += 2) {
        if (value_find(request, i, &old)) {
            reply_integer(request->out, 0);
            return;
        }
    }
    if (set_pairs(request))
        reply_integer(request->out, 1);
}

void command_append(struct request *request)
{
    struct store_value old;
    const struct resp_arg *more = &request->args[2];
    if (!value_find(request, 1, &old)) {
        if (value_set(request, 1, more, 0))
            reply_integer(request->out, (int64_t)more->length);
        return;
    }
    if (old.length + more->length > request->service->value_max) {
        reply_error(request->out, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        return;
    }
    struct resp_arg whole = {.bytes = value_load(request, &old, more->length),
                             .length = old.length + more->length};
    memcpy(whole.bytes + old.length, more->bytes, more->length);
    if (value_change(request, 1, &old, &whole))
        reply_integer(request->out, (int64_t)whole.length);
}
