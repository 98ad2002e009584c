// The connection itself and the server's settings.
#include "handlers.h"

#include <stdio.h>
#include <string.h>

#include "common/glob.h"
#include "number.h"

void command_ping(struct request *request)
{
    if (request->count > 2)
        reply_wrong_count(request);
    else if (request->count == 2)
        reply_bulk(request->out, request->args[1].bytes, request->args[1].length);
    else
        reply_simple(request->out, "PONG");
}

void command_echo(struct request *request)
{
    reply_bulk(request->out, request->args[1].bytes, request->args[1].length);
}

void command_quit(struct request *request)
{
    reply_simple(request->out, "OK");
    request->after = AFTER_CLOSE;
}

void command_reset(struct request *request)
{
    session_reset(request->session);
    reply_simple(request->out, "RESET");
}

void command_select(struct request *request)
{
    int64_t index;
    if (!arg_integer(request, 1, &index))
        return;
    if (index == 0)
        reply_simple(request->out, "OK");
    else
        reply_error(request->out, "ERR DB index is out of range");
}

// --- who is there -------------------------------------------------------------------------------

// Whoever may open the socket may do everything: there is no password, so that any is right for
// the user "default", as in a Redis without one.
static bool is_default_user(const struct resp_arg *user)
{
    return user->length == 7 && memcmp(user->bytes, "default", 7) == 0;
}

static void reply_wrong_password(struct request *request)
{
    reply_error(request->out, "WRONGPASS invalid username-password pair or user is disabled.");
}

void command_auth(struct request *request)
{
    if (request->count > 3)
        reply_syntax_error(request);
    else if (request->count == 2)
        reply_error(request->out,
                    "ERR AUTH <password> called without any password configured for the default "
                    "user. Are you sure your configuration is correct?");
    else if (is_default_user(&request->args[1]))
        reply_simple(request->out, "OK");
    else
        reply_wrong_password(request);
}

static void reply_field(struct request *request, const char *name, const char *value)
{
    reply_bulk_text(request->out, name);
    reply_bulk_text(request->out, value);
}

static void reply_hello(struct request *request)
{
    reply_array(request->out, 14);
    reply_field(request, "server", "redis");
    reply_field(request, "version", COMPATIBLE_VERSION);
    reply_bulk_text(request->out, "proto");
    reply_integer(request->out, 2);
    reply_bulk_text(request->out, "id");
    reply_integer(request->out, (int64_t)request->session->id);
    reply_field(request, "mode", "standalone");
    reply_field(request, "role", "master");
    reply_bulk_text(request->out, "modules");
    reply_array(request->out, 0);
}

// AUTH user password, SETNAME name. false: the error is replied. Nothing is changed before all of
// it was read.
static bool read_hello_options(struct request *request, const struct resp_arg **name)
{
    for (size_t i = 2; i < request->count; ++i) {
        const struct resp_arg *option = &request->args[i];
        size_t more = request->count - 1 - i;
        if (arg_is(option, "auth") && more >= 2) {
            if (!is_default_user(option + 1)) {
                reply_wrong_password(request);
                return false;
            }
            i += 2;
        } else if (arg_is(option, "setname") && more >= 1) {
            *name = option + 1;
            ++i;
        } else {
            reply_error(request->out, "ERR Syntax error in HELLO option '%.*s'",
                        (int)option->length, option->bytes);
            return false;
        }
    }
    return true;
}

void command_hello(struct request *request)
{
    int64_t version = 2;
    const struct resp_arg *name = NULL;
    if (request->count > 1 &&
        !number_parse(request->args[1].bytes, request->args[1].length, &version)) {
        reply_error(request->out, "ERR Protocol version is not an integer or out of range");
        return;
    }
    if (version != 2) {
        reply_error(request->out, "NOPROTO unsupported protocol version");
        return;
    }
    if (!read_hello_options(request, &name))
        return;
    if (name && !session_set_text(&request->session->name, name->bytes, name->length))
        reply_error(request->out, "ERR Client names cannot contain spaces, newlines or special "
                                  "characters.");
    else
        reply_hello(request);
}

// --- settings -----------------------------------------------------------------------------------

// What clients look at. Nothing can be set: the memory is a page of a fixed size, whose policy of
// eviction is the one there is.
static const struct setting {
    const char *name, *value; // NULL: the size of the memory
} settings[] = {
    {"appendonly", "no"},
    {"databases", "1"},
    {"maxmemory", NULL},
    {"maxmemory-policy", "allkeys-lfu"}, // the nearest that Redis has a name for
    {"proto-max-bulk-len", "67108864"},
    {"save", ""},
    {"timeout", "0"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static bool setting_matches(const struct setting *setting, const struct resp_arg *pattern)
{
    char lower[64];
    size_t length = pattern->length < sizeof lower ? pattern->length : sizeof lower;
    for (size_t i = 0; i < length; ++i) {
        char byte = pattern->bytes[i];
        lower[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
    }
    return glob_match(lower, length, setting->name, strlen(setting->name));
}

static bool setting_is_asked(const struct request *request, const struct setting *setting)
{
    for (size_t i = 2; i < request->count; ++i)
        if (setting_matches(setting, &request->args[i]))
            return true;
    return false;
}

static void reply_setting(struct request *request, const struct setting *setting)
{
    char memory[NUMBER_SIZE];
    struct store_stats stats;
    reply_bulk_text(request->out, setting->name);
    if (setting->value) {
        reply_bulk_text(request->out, setting->value);
        return;
    }
    store_stats(request->store, &stats);
    reply_bulk(request->out, memory, number_format((int64_t)stats.memory, memory));
}

void command_config_get(struct request *request)
{
    bool is_asked[SETTINGS];
    size_t count = 0;
    for (size_t i = 0; i < SETTINGS; ++i)
        count += is_asked[i] = setting_is_asked(request, &settings[i]);
    reply_array(request->out, 2 * count);
    for (size_t i = 0; i < SETTINGS; ++i)
        if (is_asked[i])
            reply_setting(request, &settings[i]);
}

void command_config_set(struct request *request)
{
    if (request->count % 2 != 0) {
        reply_wrong_count(request);
        return;
    }
    for (size_t i = 2; i < request->count; i += 2) {
        const struct resp_arg *name = &request->args[i];
        size_t at = 0;
        while (at < SETTINGS && !arg_is(name, settings[at].name))
            ++at;
        if (at == SETTINGS) {
            reply_error(request->out,
                        "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'",
                        (int)name->length, name->bytes);
            return;
        }
    }
    reply_error(request->out,
                "ERR CONFIG SET failed (possibly related to argument '%.*s') - can't set "
                "immutable config",
                (int)request->args[2].length, request->args[2].bytes);
}

void command_config_resetstat(struct request *request)
{
    struct service *service = request->service;
    service->commands = service->errors = service->connections = service->rejected = 0;
    service->bytes_in = service->bytes_out = 0;
    reply_simple(request->out, "OK");
}
