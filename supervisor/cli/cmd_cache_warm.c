// cache warm: reads the list, finds the gateway, tells how it goes.

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "common/json.h"
#include "common/proto.h"
#include "printable.h"
#include "processes.h"
#include "report.h"
#include "warm.h"
#include "warm_list.h"
#include "warm_target.h"

// --- the gateway --------------------------------------------------------------------------------

// The address of a gateway process that serves; NULL: there is none.
static const char *find_listener(struct json_object *processes)
{
    for (size_t i = 0; i < json_object_array_length(processes); i++) {
        struct json_object *process = json_object_array_get_idx(processes, i);
        struct json_object *own = json_get_object(process, "gwctl");
        if (strcmp(json_get_string(process, "name", ""), "gateway") == 0 &&
            strcmp(json_get_string(own, "state", ""), "online") == 0)
            return json_get_string(own, "endpoint", NULL);
    }
    return NULL;
}

static int find_gateway(struct warm_target *target, struct err *err)
{
    struct json_object *processes = processes_of_running(err);
    if (!processes)
        return -1;
    const char *listener = find_listener(processes);
    int result = listener ? warm_target_from_listener(listener, target, err)
                          : err_set(err, "no gateway is online; --url names another one");
    json_object_put(processes);
    return result;
}

// --- the list -----------------------------------------------------------------------------------

static int read_stream(FILE *file, struct buf *text)
{
    size_t count;
    while ((count = fread(buf_reserve(text, 65536), 1, 65536, file)) > 0)
        buf_commit(text, count);
    return ferror(file) ? -1 : 0;
}

static int read_text(const char *path, struct buf *text, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "r");
    if (!file)
        return err_set_errno(err, "%s", path);
    int result = read_stream(file, text);
    if (result == -1)
        err_set_errno(err, "%s", is_stdin ? "standard input" : path);
    if (!is_stdin)
        fclose(file);
    return result;
}

// -1: what is wrong was told.
static int read_list(const char *path, const struct warm_target *target, struct warm_list *list)
{
    struct err err;
    struct buf text = BUF_INIT, errors = BUF_INIT;
    *list = (struct warm_list){0};
    int result = read_text(path, &text, &err);
    if (result == -1) {
        report_error(err.text);
    } else {
        const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
        result = warm_list_parse(&text, name, target->base, list, &errors);
        report_error(buf_text(&errors));
    }
    buf_free(&text);
    buf_free(&errors);
    return result;
}

// --- how it goes --------------------------------------------------------------------------------

struct tally {
    size_t total, done;
    size_t counts[WARM_VERDICTS];
    bool shows_progress;
};

static void clear_progress(const struct tally *tally)
{
    if (tally->shows_progress)
        fputs("\r\033[K", stderr);
}

static void show_progress(const struct tally *tally)
{
    if (tally->shows_progress)
        fprintf(stderr, "\r%zu of %zu", tally->done, tally->total);
}

// What is not in the cache now is told at once.
static void tell(const char *url, enum warm_verdict verdict, const char *reason)
{
    struct buf line = BUF_INIT;
    printable_append(&line, url, strlen(url), PRINTABLE_LINE);
    buf_append_text(&line, verdict == WARM_FAILED ? ": " : ": not cacheable: ");
    printable_append(&line, reason, strlen(reason), PRINTABLE_LINE);
    if (verdict == WARM_FAILED)
        report_error(buf_text(&line));
    else
        puts(buf_text(&line));
    fflush(stdout);
    buf_free(&line);
}

static void on_result(void *context, const char *url, enum warm_verdict verdict, const char *reason)
{
    struct tally *tally = context;
    tally->counts[verdict]++;
    tally->done++;
    clear_progress(tally);
    if (verdict == WARM_NOT_CACHEABLE || verdict == WARM_FAILED)
        tell(url, verdict, reason);
    show_progress(tally);
}

static int warm_all(const struct warm_list *list, const struct warm_target *target)
{
    struct err err;
    struct tally tally = {.total = list->count, .shows_progress = isatty(STDERR_FILENO)};
    struct warm_work work = {target->connect_to, list->urls, list->count, on_result, &tally};
    int result = warm_run(&work, &err);
    clear_progress(&tally);
    if (result == -1)
        return report_error(err.text);
    printf("%zu stored, %zu already there, %zu not cacheable, %zu failed\n",
           tally.counts[WARM_STORED], tally.counts[WARM_THERE], tally.counts[WARM_NOT_CACHEABLE],
           tally.counts[WARM_FAILED]);
    return tally.counts[WARM_FAILED] > 0 ? EXIT_FAILED : EXIT_OK;
}

int cmd_cache_warm(const struct command *command, const struct options *options)
{
    struct err err;
    struct warm_target target;
    struct warm_list list;
    const char *url = options_get(options, command->options, "url");
    if (url && warm_target_from_url(url, &target, &err) == -1)
        return command_refuse(command, err.text);
    if (!url && find_gateway(&target, &err) == -1)
        return report_error(err.text);
    int code = EXIT_FAILED;
    if (read_list(options->words[0], &target, &list) == 0)
        code = warm_all(&list, &target);
    warm_list_free(&list);
    return code;
}
