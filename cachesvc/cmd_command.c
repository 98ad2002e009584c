// COMMAND: the table, as clients and redis-cli want to see it.
#include "handlers.h"

#include <string.h>

static const struct flag_name {
    unsigned flag;
    const char *name, *category; // of the flag; NULL: none
} flag_names[] = {
    {COMMAND_WRITE, "write", "@write"}, {COMMAND_READONLY, "readonly", "@read"},
    {COMMAND_DENYOOM, "denyoom", NULL}, {COMMAND_ADMIN, "admin", "@admin"},
    {COMMAND_FAST, "fast", "@fast"},    {COMMAND_BLOCKING, "blocking", "@blocking"},
    {COMMAND_NO_AUTH, "no_auth", NULL},
};
enum { FLAG_NAMES = sizeof flag_names / sizeof *flag_names };

static void reply_flags(struct buf *out, unsigned flags, bool categories)
{
    size_t count = 0;
    for (size_t i = 0; i < FLAG_NAMES; ++i)
        count += flags & flag_names[i].flag && (!categories || flag_names[i].category);
    reply_array(out, count);
    for (size_t i = 0; i < FLAG_NAMES; ++i) {
        const char *text = categories ? flag_names[i].category : flag_names[i].name;
        if (flags & flag_names[i].flag && text)
            reply_simple(out, text);
    }
}

static size_t count_commands(const struct command *command)
{
    size_t count = 0;
    while (command && command[count].name)
        ++count;
    return count;
}

// Ten elements, as since Redis 7; tips and key specifications are left empty.
static void reply_info(struct buf *out, const struct command *command)
{
    reply_array(out, 10);
    reply_bulk_text(out, command->name);
    reply_integer(out, command->arity);
    reply_flags(out, command->flags, false);
    reply_integer(out, command->first);
    reply_integer(out, command->last);
    reply_integer(out, command->step);
    reply_flags(out, command->flags, true);
    reply_array(out, 0);
    reply_array(out, 0);
    reply_array(out, count_commands(command->subcommands));
    for (const struct command *sub = command->subcommands; sub && sub->name; ++sub)
        reply_info(out, sub);
}

static void reply_docs(struct buf *out, const struct command *command)
{
    reply_bulk_text(out, command->name);
    reply_array(out, command->subcommands ? 8 : 6);
    reply_bulk_text(out, "summary");
    reply_bulk_text(out, command->summary);
    reply_bulk_text(out, "since");
    reply_bulk_text(out, command->since);
    reply_bulk_text(out, "group");
    reply_bulk_text(out, command->group);
    if (!command->subcommands)
        return;
    reply_bulk_text(out, "subcommands");
    reply_array(out, 2 * count_commands(command->subcommands));
    for (const struct command *sub = command->subcommands; sub->name; ++sub)
        reply_docs(out, sub);
}

// "get", or "client|id".
static const struct command *find(const struct resp_arg *name)
{
    struct resp_arg first = *name, second;
    char *bar = memchr(name->bytes, '|', name->length);
    if (!bar)
        return commands_find(name);
    first.length = (size_t)(bar - name->bytes);
    second = (struct resp_arg){.bytes = bar + 1, .length = name->length - first.length - 1};
    const struct command *command = commands_find(&first);
    return command ? commands_find_sub(command, &second) : NULL;
}

void command_command(struct request *request)
{
    reply_array(request->out, commands_count());
    for (const struct command *command = commands_table; command->name; ++command)
        reply_info(request->out, command);
}

void command_command_count(struct request *request)
{
    reply_integer(request->out, (int64_t)commands_count());
}

void command_command_info(struct request *request)
{
    if (request->count == 2) {
        command_command(request);
        return;
    }
    reply_array(request->out, request->count - 2);
    for (size_t i = 2; i < request->count; ++i) {
        const struct command *command = find(&request->args[i]);
        if (command)
            reply_info(request->out, command);
        else
            reply_null_bulk(request->out);
    }
}

void command_command_docs(struct request *request)
{
    if (request->count == 2) {
        reply_array(request->out, 2 * commands_count());
        for (const struct command *command = commands_table; command->name; ++command)
            reply_docs(request->out, command);
        return;
    }
    size_t found = 0;
    for (size_t i = 2; i < request->count; ++i)
        found += find(&request->args[i]) != NULL;
    reply_array(request->out, 2 * found);
    for (size_t i = 2; i < request->count; ++i) {
        const struct command *command = find(&request->args[i]);
        if (command)
            reply_docs(request->out, command);
    }
}

void command_command_list(struct request *request)
{
    if (request->count > 2) {
        reply_syntax_error(request);
        return;
    }
    reply_array(request->out, commands_count());
    for (const struct command *command = commands_table; command->name; ++command)
        reply_bulk_text(request->out, command->name);
}
