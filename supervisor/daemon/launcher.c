// Says to gw-exec what an app's settings ask for. What is not set is not said: it stays as the
// supervisor has it.

#include "launcher.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"

enum { OWN_ARGS_MAX = 32 }; // all options with their values

static void add(char **args, size_t *count, const char *text)
{
    args[(*count)++] = mem_strdup(text);
}

static void add_text(char **args, size_t *count, const char *option, const char *value)
{
    if (!value)
        return;
    add(args, count, option);
    add(args, count, value);
}

static void add_number(char **args, size_t *count, const char *option, int64_t number)
{
    add(args, count, option);
    args[(*count)++] = mem_printf("%" PRId64, number);
}

static void add_limits(char **args, size_t *count, const struct process_limits *limits)
{
    if (limits->umask >= 0) {
        add(args, count, "--umask");
        args[(*count)++] = mem_printf("%" PRIo64, (uint64_t)limits->umask);
    }
    if (limits->nofile > 0)
        add_number(args, count, "--nofile", limits->nofile);
    if (limits->nproc > 0)
        add_number(args, count, "--nproc", limits->nproc);
    if (limits->core != APP_CORE_INHERIT)
        add_number(args, count, "--core", limits->core);
    if (limits->nice != 0)
        add_number(args, count, "--nice", limits->nice);
    if (limits->oom_score_adj != APP_OOM_INHERIT)
        add_number(args, count, "--oom-score-adj", limits->oom_score_adj);
    add_text(args, count, "--cpu", limits->cpu);
}

char **launcher_args(const struct process_options *options, size_t status_fd)
{
    size_t program = 0, count = 0;
    while (options->args[program])
        program++;
    char **args = mem_zalloc(OWN_ARGS_MAX + program, sizeof *args);
    add(args, &count, options->launcher);
    add_number(args, &count, "--status-fd", (int64_t)status_fd);
    if (options->fd_count > 0)
        add_number(args, &count, "--listen", (int64_t)options->fd_count);
    if (options->node_channel)
        add(args, &count, "--channel");
    add_text(args, &count, "--cwd", options->cwd);
    add_limits(args, &count, &options->limits);
    add_text(args, &count, "--gid", options->gid);
    add_text(args, &count, "--uid", options->uid);
    if (options->no_new_privileges)
        add(args, &count, "--no-new-privs");
    add(args, &count, "--");
    for (size_t i = 0; i < program; i++)
        add(args, &count, options->args[i]);
    return args;
}

void launcher_args_free(char **args)
{
    for (size_t i = 0; args[i]; i++)
        free(args[i]);
    free(args);
}
