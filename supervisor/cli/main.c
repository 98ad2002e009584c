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
#include "report.h"

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

static int run_command(int count, char **words)
{
    const struct command *command = command_find(words[0]);
    struct options options;
    struct err err;
    int code;

    if (!command)
        return refuse_command(words[0]);
    if (options_parse(command->options, count - 1, words + 1, &options, &err) == -1)
        code = command_refuse(command, err.text);
    else
        code = run(command, &options);
    options_free(&options);
    return code;
}

static bool is_one_of(const char *word, const char *first, const char *second)
{
    return strcmp(word, first) == 0 || strcmp(word, second) == 0;
}

static int run_words(int count, char **words)
{
    if (count == 0) {
        commands_print_help();
        return EXIT_USAGE;
    }
    if (is_one_of(words[0], "--version", "-v")) {
        puts("gwctl " GWCTL_VERSION);
        return EXIT_OK;
    }
    bool helps = strcmp(words[0], "help") == 0;
    if (is_one_of(words[0], "--help", "-h") || (helps && count == 1)) {
        commands_print_help();
        return EXIT_OK;
    }
    if (!helps)
        return run_command(count, words);
    if (!command_find(words[1]))
        return refuse_command(words[1]);
    command_print_help(command_find(words[1]));
    return EXIT_OK;
}

// What could not be written makes a command fail. A reader that went away wanted no more.
static int finish_output(int code)
{
    int result = fflush(stdout);
    if (result == 0 && !ferror(stdout))
        return code;
    if (result != 0 && errno == EPIPE)
        return code;
    fprintf(stderr, "gwctl: standard output: %s\n",
            result != 0 ? strerror(errno) : "not everything could be written");
    return code == EXIT_OK ? EXIT_FAILED : code;
}

int main(int count, char **words)
{
    log_init("gwctl", LOG_LEVEL_WARN);
    signal(SIGPIPE, SIG_IGN);
    return finish_output(run_words(count - 1, words + 1));
}
