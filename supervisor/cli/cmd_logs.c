// logs: the last lines of every selected file, then what is written to them.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "commands.h"
#include "common/home.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/proto.h"
#include "common/report.h"
#include "processes.h"
#include "tail.h"

enum { POLL_MS = 500, DEFAULT_LINES = 15, COLOURS = 6 };

struct source {
    char *path;
    char label[96];
    int colour; // 0: none
    bool raw;
    struct tail *tail;
};

struct sources {
    struct source **list;
    size_t count;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void print_line(void *context, const char *line, size_t length)
{
    const struct source *source = context;
    if (source->colour && !source->raw)
        printf("\033[%dm%s |\033[0m ", source->colour, source->label);
    else if (!source->raw)
        printf("%s | ", source->label);
    fwrite(line, 1, length, stdout);
    putchar('\n');
}

static void add_source(struct sources *sources, const char *path, const char *id, const char *name,
                       const struct source *style)
{
    for (size_t i = 0; path && i < sources->count; i++) {
        if (strcmp(sources->list[i]->path, path) == 0)
            return;
    }
    if (!path)
        return;
    struct source *source = mem_alloc(sizeof *source);
    sources->list = mem_realloc(sources->list, (sources->count + 1) * sizeof(struct source *));
    sources->list[sources->count++] = source;
    *source = *style;
    source->path = mem_strdup(path);
    snprintf(source->label, sizeof source->label, "%s|%.64s", id, name);
    if (style->colour)
        source->colour = 31 + (int)(sources->count / 2 % COLOURS);
    source->tail = tail_new(path, print_line, source);
}

static void add_process(struct sources *sources, struct json_object *process,
                        const struct options *options, const struct option_row *rows,
                        const struct source *style)
{
    struct json_object *env = json_get_object(process, "pm2_env");
    const char *name = json_get_string(process, "name", "?");
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)json_get_int(process, "pm_id", -1));
    bool out = options_get(options, rows, "out"), error = options_get(options, rows, "err");
    if (out || !error)
        add_source(sources, json_get_string(env, "pm_out_log_path", NULL), id, name, style);
    if (error || !out)
        add_source(sources, json_get_string(env, "pm_err_log_path", NULL), id, name, style);
}

static bool selected(struct json_object *process, const struct options *options)
{
    for (size_t i = 0; i < options->word_count; i++) {
        if (process_matches(process, options->words[i]))
            return true;
    }
    return options->word_count == 0;
}

static void follow(struct sources *sources)
{
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    char events[4096];
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    inotify_add_watch(watch, home_path(HOME_LOGS), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
    while (!interrupted) {
        // Files outside the log folder are looked at by the time-out alone.
        struct pollfd ready = {.fd = watch, .events = POLLIN};
        if (poll(&ready, 1, POLL_MS) > 0) {
            while (read(watch, events, sizeof events) > 0)
                continue;
        }
        for (size_t i = 0; i < sources->count; i++)
            tail_poll(sources->list[i]->tail);
        if (fflush(stdout) == EOF)
            break; // the reader has gone
    }
    close(watch);
}

static void free_sources(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        tail_free(sources->list[i]->tail);
        free(sources->list[i]->path);
        free(sources->list[i]);
    }
    free(sources->list);
}

static void show(struct json_object *processes, const struct command *command,
                 const struct options *options, size_t lines)
{
    const struct option_row *rows = command->options;
    struct sources sources = {0};
    struct source style = {.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
                           .raw = options_get(options, rows, "raw") != NULL};
    for (size_t i = 0; i < json_object_array_length(processes); i++) {
        struct json_object *process = json_object_array_get_idx(processes, i);
        if (selected(process, options))
            add_process(&sources, process, options, rows, &style);
    }
    for (size_t i = 0; i < sources.count; i++)
        tail_last(sources.list[i]->tail, lines);
    fflush(stdout);
    if (!options_get(options, rows, "nostream"))
        follow(&sources);
    free_sources(&sources);
}

int cmd_logs(const struct command *command, const struct options *options)
{
    struct err err;
    size_t lines;
    int code = EXIT_OK;
    if (options_get_count(options, command->options, "lines", DEFAULT_LINES, &lines) == -1)
        return command_refuse(command, "--lines takes a number");
    struct json_object *processes = processes_of_running(&err);
    if (!processes)
        return report_error(err.text);
    const char *unknown = processes_first_unknown(processes, options->words, options->word_count);
    if (unknown)
        code = processes_refuse(processes, unknown, "no such app or id");
    else
        show(processes, command, options, lines);
    json_object_put(processes);
    return code;
}
