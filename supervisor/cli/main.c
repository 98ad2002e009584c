// gwctl: finds the command's row, parses its options, runs it.

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "common/home.h"
#include "common/keytable.h"
#include "common/log.h"
#include "common/proto.h"
#include "common/report.h"

static int refuse_name(const struct command *group, const char *name)
{
    const struct command *table = command_table(group);
    const char *names[64];
    size_t count = 0;
    for (; table[count].word; count++)
        names[count] = command_name(&table[count]);
    names[count] = NULL;
    const char *near = suggest_word(name, names);
    const char *blank = group ? " " : "", *word = group ? group->word : "";
    fprintf(stderr, "gwctl%s%s: unknown command \"%s\"%s%s%s\nTry `gwctl%s%s --help`.\n", blank,
            word, name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", blank,
            word);
    return EXIT_USAGE;
}

static int run(const struct command *command, const struct options *options)
{
    struct err err;
    if (options->help) {
        command_print_help(command);
        return EXIT_OK;
    }
    if (options->word_count < command->min_words)
        return command_refuse(command, "something is missing");
    if (options->word_count > command->max_words)
        return command_refuse(command, "too many words");
    if (options->rest_count > 0 && !command->takes_rest)
        return command_refuse(command, "takes nothing behind --");
    if (!command->homeless && home_find(&err) == -1)
        return report_error(err.text);
    return command->run(command, options);
}

static int run_command(const struct command *command, int count, char **words)
{
    struct options options;
    struct err err;
    int code;

    if (options_parse(command->options, count, words, &options, &err) == -1)
        code = command_refuse(command, err.text);
    else
        code = run(command, &options);
    options_free(&options);
    return code;
}

// help [NAME...], within a group: of the command or group that the names lead to.
static int print_help(const struct command *group, int count, char **words)
{
    for (int i = 0; i < count && (!group || group->commands); i++) {
        const struct command *found = command_find(group, words[i]);
        if (!found)
            return refuse_name(group, words[i]);
        group = found;
    }
    command_print_help(group);
    return EXIT_OK;
}

static bool is_one_of(const char *word, const char *first, const char *second)
{
    return strcmp(word, first) == 0 || strcmp(word, second) == 0;
}

// The words behind those that led to the group; NULL: all.
static int run_words(const struct command *group, int count, char **words)
{
    if (count == 0) {
        command_print_help(group);
        return EXIT_USAGE;
    }
    if (is_one_of(words[0], "--help", "-h")) {
        command_print_help(group);
        return EXIT_OK;
    }
    if (strcmp(words[0], "help") == 0)
        return print_help(group, count - 1, words + 1);
    const struct command *command = command_find(group, words[0]);
    if (!command)
        return refuse_name(group, words[0]);
    if (command->commands)
        return run_words(command, count - 1, words + 1);
    return run_command(command, count - 1, words + 1);
}

int main(int count, char **words)
{
    log_init("gwctl", LOG_LEVEL_WARN);
    signal(SIGPIPE, SIG_IGN);
    if (count > 1 && is_one_of(words[1], "--version", "-v")) {
        puts("gwctl " GWCTL_VERSION);
        return report_finish_output(EXIT_OK);
    }
    return report_finish_output(run_words(NULL, count - 1, words + 1));
}
