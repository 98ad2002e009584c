// CLIENT: what connections say of themselves and of each other.
#include "handlers.h"

#include <string.h>

#include "number.h"

void command_client_id(struct request *request)
{
    reply_integer(request->out, (int64_t)request->session->id);
}

void command_client_getname(struct request *request)
{
    if (request->session->name)
        reply_bulk_text(request->out, request->session->name);
    else
        reply_null_bulk(request->out);
}

void command_client_setname(struct request *request)
{
    const struct resp_arg *name = &request->args[2];
    if (session_set_text(&request->session->name, name->bytes, name->length))
        reply_simple(request->out, "OK");
    else
        reply_error(request->out, "ERR Client names cannot contain spaces, newlines or special "
                                  "characters.");
}

void command_client_setinfo(struct request *request)
{
    const struct resp_arg *what = &request->args[2], *value = &request->args[3];
    bool is_name = arg_is(what, "lib-name"), is_version = arg_is(what, "lib-ver");
    if (!is_name && !is_version) {
        reply_error(request->out, "ERR Unrecognized option '%.*s'", (int)what->length, what->bytes);
        return;
    }
    if (session_set_text(is_name ? &request->session->library : &request->session->library_version,
                         value->bytes, value->length))
        reply_simple(request->out, "OK");
    else
        reply_error(request->out, "ERR %s cannot contain spaces, newlines or special characters.",
                    is_name ? "lib-name" : "lib-ver");
}

void command_client_no_evict(struct request *request)
{
    const struct resp_arg *word = &request->args[2];
    if (!arg_is(word, "on") && !arg_is(word, "off")) {
        reply_syntax_error(request);
        return;
    }
    request->session->no_evict = arg_is(word, "on");
    reply_simple(request->out, "OK");
}

static void reply_text(struct request *request, const struct buf *text)
{
    reply_bulk(request->out, text->data, text->length);
}

void command_client_info(struct request *request)
{
    struct buf *text = &request->service->scratch;
    buf_consume(text, text->length);
    session_describe(request->session, request->now_ms, text);
    reply_text(request, text);
}

// Whether LIST's arguments, if any, ask for this one. All clients are of type normal.
static bool is_listed(const struct request *request, const struct session *session)
{
    if (request->count < 4)
        return true;
    if (arg_is(&request->args[2], "type"))
        return arg_is(&request->args[3], "normal");
    for (size_t i = 3; i < request->count; ++i) {
        int64_t id;
        if (number_parse(request->args[i].bytes, request->args[i].length, &id) &&
            (uint64_t)id == session->id)
            return true;
    }
    return false;
}

static bool check_type(struct request *request, const struct resp_arg *type)
{
    static const char *const types[] = {"normal", "master", "replica", "slave", "pubsub"};
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i)
        if (arg_is(type, types[i]))
            return true;
    reply_error(request->out, "ERR Unknown client type '%.*s'", (int)type->length, type->bytes);
    return false;
}

static bool check_list_arguments(struct request *request)
{
    const struct resp_arg *option = &request->args[2];
    int64_t id;
    if (request->count == 2)
        return true;
    if (request->count == 4 && arg_is(option, "type"))
        return check_type(request, option + 1);
    if (request->count < 4 || !arg_is(option, "id")) {
        reply_syntax_error(request);
        return false;
    }
    for (size_t i = 3; i < request->count; ++i) {
        if (!number_parse(request->args[i].bytes, request->args[i].length, &id) || id < 1) {
            reply_error(request->out, "ERR Invalid client ID");
            return false;
        }
    }
    return true;
}

void command_client_list(struct request *request)
{
    struct buf *text = &request->service->scratch;
    if (!check_list_arguments(request))
        return;
    buf_consume(text, text->length);
    for (const struct session *s = request->service->sessions.first; s; s = s->after)
        if (is_listed(request, s))
            session_describe(s, request->now_ms, text);
    reply_text(request, text);
}
