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
    {"check", NULL, "FILE", "check an ecosystem file; needs no supervisor", NULL, no_options, 1, 1,
     .run = cmd_check, .homeless = true},
    {"ping", NULL, "", "is a supervisor running?", NULL, no_options, 0, 0, .run = cmd_ping},
    {"kill", NULL, "", "stop all apps and the supervisor", NULL, no_options, 0, 0, .run = cmd_kill},
    {0},
};

const struct command *command_find(const char *word)
{
    for (const struct command *command = commands; command->word; command++) {
        if (strcmp(command->word, word) == 0)
            return command;
        for (const char *const *alias = command->aliases; alias && *alias; alias++) {
            if (strcmp(*alias, word) == 0)
                return command;
        }
    }
    return NULL;
}

void commands_print_help(void)
{
    puts("Usage: gwctl COMMAND [ARGUMENTS]\n\n"
         "Keeps apps of any language alive, routes to them, and replaces them without losing a\n"
         "request.\n\nCommands:");
    for (const struct command *command = commands; command->word; command++)
        printf("  %-10s %s\n", command->word, command->help);
    puts(
        "\n`gwctl COMMAND --help` tells more. A home folder ($GWCTL_HOME, default ~/.gwctl) holds\n"
        "sockets and logs of one supervisor.\n\nFirst steps:\n"
        "  gwctl start server.py --name api -i 2 --port auto\n"
        "  gwctl list\n"
        "  gwctl reload api");
}

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

void command_print_help(const struct command *command)
{
    print_usage(stdout, command);
    bool asks = command->help[strlen(command->help) - 1] == '?';
    printf("\n%s%s\n", command->help, asks ? "" : ".");
    if (command->aliases) {
        printf("\nAlso:");
        for (const char *const *alias = command->aliases; *alias; alias++)
            printf(" %s", *alias);
        puts("");
    }
    if (command->more)
        printf("\n%s\n", command->more);
    if (command->options->name)
        puts("\nOptions:");
    for (const struct option_row *row = command->options; row->name; row++) {
        char name[64];
        snprintf(name, sizeof name, "%s%c%s --%s%s%s", row->letter ? "-" : " ",
                 row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
                 row->value ? " " : "", row->value ? row->value : "");
        printf("  %-26s %s\n", name, row->help);
    }
}
