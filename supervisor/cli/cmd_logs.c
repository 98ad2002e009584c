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
#include "processes.h"
#include "tail.h"

enum { FILES_MAX = 512, POLL_MS = 500, DEFAULT_LINES = 15, COLOURS = 6 };

struct source {
    char *path;
    char label[96];
    int colour; // 0: none
    bool raw;
    struct tail *tail;
};

struct sources {
    struct source list[FILES_MAX];
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
    if (source->raw)
        printf("%.*s\n", (int)length, line);
    else if (source->colour)
        printf("\033[%dm%s |\033[0m %.*s\n", source->colour, source->label, (int)length, line);
    else
        printf("%s | %.*s\n", source->label, (int)length, line);
}

static void add_source(struct sources *sources, const char *path, const char *id, const char *name,
                       const struct source *style)
{
    if (!path || sources->count == FILES_MAX)
        return;
    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->list[i].path, path) == 0)
            return;
    }
    struct source *source = &sources->list[sources->count++];
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
    if (!options_get(options, rows, "err"))
        add_source(sources, json_get_string(env, "pm_out_log_path", NULL), id, name, style);
    if (!options_get(options, rows, "out"))
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
            tail_poll(sources->list[i].tail);
        if (fflush(stdout) == EOF)
            break; // the reader has gone
    }
    close(watch);
}

static int parse_lines(const char *text, size_t *lines)
{
    char *end;
    long number = text ? strtol(text, &end, 10) : DEFAULT_LINES;
    if (text && (end == text || *end || number < 0))
        return -1;
    *lines = (size_t)number;
    return 0;
}

static void free_sources(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        tail_free(sources->list[i].tail);
        free(sources->list[i].path);
    }
    free(sources);
}

int cmd_logs(const struct command *command, const struct options *options)
{
    const struct option_row *rows = command->options;
    struct err err;
    size_t lines;
    if (parse_lines(options_get(options, rows, "lines"), &lines) == -1) {
        fprintf(stderr, "gwctl logs: --lines takes a number\n");
        return EXIT_USAGE;
    }
    struct json_object *processes = processes_list(&err);
    if (!processes) {
        fprintf(stderr, "gwctl: %s\n", err.text);
        return EXIT_FAILED;
    }
    struct sources *sources = mem_zalloc(1, sizeof *sources);
    struct source style = {.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
                           .raw = options_get(options, rows, "raw") != NULL};
    for (size_t i = 0; i < json_object_array_length(processes); i++) {
        struct json_object *process = json_object_array_get_idx(processes, i);
        if (selected(process, options))
            add_process(sources, process, options, rows, &style);
    }
    json_object_put(processes);
    for (size_t i = 0; i < sources->count; i++)
        tail_last(sources->list[i].tail, lines);
    fflush(stdout);
    int code = sources->count > 0 || options->word_count == 0 ? EXIT_OK : EXIT_FAILED;
    if (code == EXIT_FAILED)
        fprintf(stderr, "gwctl: %s: no such app or id\n", options->words[0]);
    else if (!options_get(options, rows, "nostream"))
        follow(sources);
    free_sources(sources);
    return code;
}
