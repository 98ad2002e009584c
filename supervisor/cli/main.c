// gwctl: finds the command's row, parses its options, runs it.

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "common/home.h"
#include "common/keytable.h"
#include "common/log.h"
#include "common/proto.h"

static int refuse_command(const char *word)
{
    const char *words[64];
    size_t count = 0;
    for (; commands[count].word; count++)
        words[count] = commands[count].word;
    words[count] = NULL;
    const char *near = suggest_word(word, words);
    fprintf(stderr, "gwctl: unknown command \"%s\"%s%s%s\nTry `gwctl --help`.\n", word,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return EXIT_USAGE;
}

static int refuse_words(const struct command *command, const char *what)
{
    fprintf(stderr, "gwctl %s: %s\nUsage: gwctl %s %s\n", command->word, what, command->word,
            command->arguments);
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
        return refuse_words(command, "something is missing");
    if (options->word_count > command->max_words)
        return refuse_words(command, "too many words");
    if (home_open(&err) == -1) {
        fprintf(stderr, "gwctl: %s\n", err.text);
        return EXIT_FAILED;
    }
    return command->run(command, options);
}

static int run_command(int count, char **words)
{
    const struct command *command = command_find(words[0]);
    struct options options;
    struct err err;
    int code;

    if (!command)
        return refuse_command(words[0]);
    if (options_parse(command->options, count - 1, words + 1, &options, &err) == -1)
        code = refuse_words(command, err.text);
    else
        code = run(command, &options);
    options_free(&options);
    return code;
}

int main(int count, char **words)
{
    log_init("gwctl", LOG_LEVEL_WARN);
    signal(SIGPIPE, SIG_IGN);
    if (count < 2) {
        commands_print_help();
        return EXIT_USAGE;
    }
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0) {
        commands_print_help();
        return EXIT_OK;
    }
    if (strcmp(words[1], "--version") == 0 || strcmp(words[1], "-v") == 0) {
        puts("gwctl " GWCTL_VERSION);
        return EXIT_OK;
    }
    if (strcmp(words[1], "help") == 0 && count > 2 && command_find(words[2])) {
        command_print_help(command_find(words[2]));
        return EXIT_OK;
    }
    return run_command(count - 1, words + 1);
}
