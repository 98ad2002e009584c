// The table of gwctl's commands, and the help that is printed from it.

#include "commands.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/proto.h"

#define ALIASES(...)                                                                               \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

#define MANY SIZE_MAX

static const struct option_row no_options[] = {{0}};

static const struct option_row start_options[] = {
    {"name", 'n', "NAME", "its name in the list (default: the script's, without extension)"},
    {"instances", 'i', "N|max", "how many processes; max: one a CPU"},
    {"interpreter", 0, "PROGRAM", "what executes the script; none: the script itself"},
    {"port", 0, "N|auto", "its port; auto: each process its own, in $PORT"},
    {"cwd", 0, "FOLDER", "where it runs (default: here)"},
    {"wait-ready", 0, NULL,
     "it is ready when it says READY=1 on $NOTIFY_SOCKET, or process.send('ready')"},
    {0},
};

static const struct option_row logs_options[] = {
    {"lines", 'l', "N", "how many of the last lines (default 15)"},
    {"follow", 'f', NULL, "go on with what is written from now on (the default)"},
    {"nostream", 0, NULL, "end after the last lines"},
    {"out", 0, NULL, "standard output only"},
    {"err", 0, NULL, "standard error only"},
    {"raw", 0, NULL, "the lines as they were written, without a name before them"},
    {0},
};

static const struct option_row events_options[] = {
    {"lines", 'l', "N", "how many of the last events (default 50)"},
    {"follow", 'f', NULL, "go on with what happens from now on"},
    {"json", 0, NULL, "one object of JSON a line"},
    {0},
};

static const struct option_row stats_options[] = {
    {"json", 0, NULL, "one line of JSON; sizes in bytes"},
    {0},
};

static const struct option_row get_options[] = {
    {"raw", 0, NULL, "the bytes of the value as they are, of an answer those of its body"},
    {0},
};

static const struct option_row purge_options[] = {
    {"pattern", 'p', "GLOB", "every key that matches: *, ?, [a-z]; \\ before one of these is it"},
    {"tag", 't', "TAG", "every key that has the tag"},
    {"all", 'a', NULL, "every key"},
    {0},
};

static const struct option_row warm_options[] = {
    {"url", 'u', "http://HOST:PORT", "the gateway to ask (default: the one of this home)"},
    {0},
};

static const struct command cache_commands[] = {
    {"cache stats", NULL, "[--json]", "keys, memory, hits, evictions", NULL, stats_options, 0, 0,
     .run = cmd_cache_stats},
    {"cache get", NULL, "KEY [--raw]", "the value of a key, also of a stored answer",
     "Bytes that a terminal would obey, or that are no text, are shown as \\xNN.", get_options, 1,
     1, .run = cmd_cache_get},
    {"cache purge", NULL, "KEY | --pattern GLOB | --tag TAG | --all", "remove what is stored",
     "A stored answer of the gateway goes with its variants (Vary). KEY is what X-Cache-Key says,\n"
     "with \"debug\" in the gateway's \"cache\".",
     purge_options, 0, 1, .run = cmd_cache_purge},
    {"cache warm", NULL, "FILE [--url http://HOST:PORT]",
     "request a list of URLs through the gateway, so that they are stored",
     "FILE (- for standard input) has one a line: /path, or http://host/path where the host counts,"
     "\nsince it is part of the key. Blank lines and those that begin with # are skipped. The "
     "gateway\nis asked for 4 at a time. The exit code is 1 when one failed; what may not be "
     "stored "
     "is no\nfailure.",
     warm_options, 1, 1, .run = cmd_cache_warm},
    {0},
};

const struct command commands[] = {
    {"start", NULL, "FILE... | NAME|ID|all... | SCRIPT [OPTIONS] [-- ARGS...]",
     "start apps; what runs already stays as it is",
     "FILE is an ecosystem file (.json, or - for standard input): what is missing or stopped is\n"
     "started, apps whose settings changed are reloaded, nothing else is touched.\n"
     "NAME, an id or all start what the supervisor knows.\n"
     "SCRIPT is any program: gwctl start server.py --name api -i 2 --port auto -- --verbose",
     start_options, 1, MANY, .run = cmd_start, .takes_rest = true},
    {"stop", NULL, "NAME|ID|all|FILE...", "stop apps; they stay in the list", NULL, no_options, 1,
     MANY, .run = cmd_end},
    {"restart", NULL, "NAME|ID|all|FILE...", "stop and start apps", NULL, no_options, 1, MANY,
     .run = cmd_reload},
    {"reload", NULL, "NAME|ID|all|FILE...",
     "replace processes one after the other, where possible without losing a request",
     "The gateway and apps with \"port\": \"auto\" lose no request: each new process has to prove "
     "that\nit is ready before the old one is taken out. When one does not, the old ones stay, the "
     "reason\nis printed and the exit code is 1.\n"
     "Other apps cannot have two processes in one place, so each old one is stopped first. When "
     "its\n"
     "successor fails, the process is started again with the old settings; the exit code is 1 too.",
     no_options, 1, MANY, .run = cmd_reload},
    {"delete", ALIASES("del"), "NAME|ID|all|FILE...", "stop apps and forget them", NULL, no_options,
     1, MANY, .run = cmd_end},
    {"scale", NULL, "NAME N|+N|-N", "change the number of processes", NULL, no_options, 2, 2,
     .run = cmd_scale},
    {"list", ALIASES("ls", "l", "ps", "status"), "", "show every process in a table", NULL,
     no_options, 0, 0, .run = cmd_list},
    {"jlist", NULL, "", "the same as JSON, in the shape of `pm2 jlist`", NULL, no_options, 0, 0,
     .run = cmd_jlist},
    {"describe", ALIASES("desc", "info", "show"), "NAME|ID", "all there is to know about an app",
     NULL, no_options, 1, 1, .run = cmd_describe},
    {"logs", ALIASES("log"), "[NAME|ID|all...] [OPTIONS]",
     "the last lines of the logs, then follow them", NULL, logs_options, 0, MANY, .run = cmd_logs},
    {"flush", NULL, "[NAME|ID|all...]", "empty the logs (default: of all apps)",
     "Old files that rotation has put aside stay.", no_options, 0, MANY, .run = cmd_flush},
    {"reloadLogs", NULL, "", "open every log file anew",
     "For programs that rename log files, such as logrotate; SIGUSR2 to the supervisor does the "
     "same.",
     no_options, 0, 0, .run = cmd_reload_logs},
    {"events", NULL, "[OPTIONS]", "what happened last, and with --follow what happens",
     "The life of processes, reloads, settings, the supervisor itself, and what its sidecars tell. "
     "The\nlast 1024 are kept, also when the supervisor is killed.",
     events_options, 0, 0, .run = cmd_events},
    {"check", NULL, "FILE", "check an ecosystem file; needs no supervisor", NULL, no_options, 1, 1,
     .run = cmd_check, .homeless = true},
    {"cache", NULL, "COMMAND [ARGUMENTS]", "look into the cache, remove from it, fill it",
     .commands = cache_commands},
    {"ping", NULL, "", "is a supervisor running?", NULL, no_options, 0, 0, .run = cmd_ping},
    {"update", NULL, "", "replace the supervisor by the one that is on disk; apps go on",
     "For after an upgrade of gwctl. Apps and the gateway serve on with the same pids. A program "
     "that\ncannot be started changes nothing; a supervisor that dies young is replaced by the one "
     "before\nit, and the exit code is 1. Gateway and sidecars are of the new version after `gwctl "
     "reload`.",
     no_options, 0, 0, .run = cmd_update},
    {"kill", NULL, "", "stop all apps and the supervisor", NULL, no_options, 0, 0, .run = cmd_kill},
    {0},
};

const struct command *command_table(const struct command *group)
{
    return group ? group->commands : commands;
}

const char *command_name(const struct command *command)
{
    const char *blank = strrchr(command->word, ' ');
    return blank ? blank + 1 : command->word;
}

const struct command *command_find(const struct command *group, const char *name)
{
    for (const struct command *command = command_table(group); command->word; command++) {
        if (strcmp(command_name(command), name) == 0)
            return command;
        for (const char *const *alias = command->aliases; alias && *alias; alias++) {
            if (strcmp(*alias, name) == 0)
                return command;
        }
    }
    return NULL;
}

// --- help ---------------------------------------------------------------------------------------

static void print_usage(FILE *out, const struct command *command)
{
    fprintf(out, "Usage: gwctl %s%s%s\n", command->word, *command->arguments ? " " : "",
            command->arguments);
}

int command_refuse(const struct command *command, const char *what)
{
    fprintf(stderr, "gwctl %s: %s\n", command->word, what);
    print_usage(stderr, command);
    return EXIT_USAGE;
}

// The sentence of a row, as it stands alone.
static void print_sentence(const struct command *command)
{
    bool asks = command->help[strlen(command->help) - 1] == '?';
    printf("\n%s%s\n", command->help, asks ? "" : ".");
}

static void print_table(const struct command *table)
{
    puts("\nCommands:");
    for (const struct command *command = table; command->word; command++)
        printf("  %-10s %s\n", command_name(command), command->help);
}

static void print_gwctl(void)
{
    puts("Usage: gwctl COMMAND [ARGUMENTS]\n\n"
         "Keeps apps of any language alive, routes to them, and replaces them without losing a\n"
         "request.");
    print_table(commands);
    puts(
        "\n`gwctl COMMAND --help` tells more. A home folder ($GWCTL_HOME, default ~/.gwctl) holds\n"
        "sockets and logs of one supervisor.\n\nFirst steps:\n"
        "  gwctl start server.py --name api -i 2 --port auto\n"
        "  gwctl list\n"
        "  gwctl reload api");
}

static void print_group(const struct command *group)
{
    print_usage(stdout, group);
    print_sentence(group);
    print_table(group->commands);
    printf("\n`gwctl %s COMMAND --help` tells more.\n", group->word);
}

static void print_options(const struct option_row *options)
{
    if (options->name)
        puts("\nOptions:");
    for (const struct option_row *row = options; row->name; row++) {
        char name[64];
        snprintf(name, sizeof name, "%s%c%s --%s%s%s", row->letter ? "-" : " ",
                 row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
                 row->value ? " " : "", row->value ? row->value : "");
        printf("  %-26s %s\n", name, row->help);
    }
}

static void print_command(const struct command *command)
{
    print_usage(stdout, command);
    print_sentence(command);
    if (command->aliases) {
        printf("\nAlso:");
        for (const char *const *alias = command->aliases; *alias; alias++)
            printf(" %s", *alias);
        puts("");
    }
    if (command->more)
        printf("\n%s\n", command->more);
    print_options(command->options);
}

void command_print_help(const struct command *command)
{
    if (!command)
        print_gwctl();
    else if (command->commands)
        print_group(command);
    else
        print_command(command);
}
