// Says to gw-exec what an app's settings ask for. What is not set is not said: it stays as the
// supervisor has it. What the program itself is to know of its fds goes into its environment.

#include "launcher.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
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
    else if (limits->nofile_soft > 0)
        add_number(args, count, "--nofile-soft", limits->nofile_soft);
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

static char *listen_names(const struct process_options *options)
{
    struct buf names = BUF_INIT;
    buf_append_text(&names, "LISTEN_FDNAMES=");
    for (size_t i = 0; i < options->fd_count; i++)
        buf_printf(&names, "%s%s", i > 0 ? ":" : "", options->fds[i].name);
    char *text = mem_strdup(buf_text(&names));
    buf_free(&names);
    return text;
}

char **launcher_env(const struct process_options *options, size_t *first)
{
    size_t n = 0;
    while (options->env[n])
        n++;
    *first = n;
    char **env = mem_zalloc(n + 4, sizeof *env);
    memcpy(env, options->env, n * sizeof *env);
    if (options->fd_count > 0) {
        env[n++] = mem_printf("LISTEN_FDS=%zu", options->fd_count);
        env[n++] = listen_names(options);
    }
    if (options->node_channel)
        env[n++] = mem_printf("NODE_CHANNEL_FD=%zu", 3 + options->fd_count);
    return env;
}

void launcher_env_free(char **env, size_t first)
{
    for (size_t i = first; env[i]; i++)
        free(env[i]);
    free(env);
}
