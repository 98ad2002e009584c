// What `gwctl cache warm` executes: reads the list, asks the gateway, tells how it goes. A program
// of its own, since libcurl, with all that it needs, takes longer to load than a command to run.
//
//   gw-warm FILE --url URL | --listener ADDRESS    of a gateway: to say, or as `list` shows it

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/printable.h"
#include "common/proto.h"
#include "common/report.h"
#include "warm.h"
#include "warm_list.h"
#include "warm_target.h"

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

static int find_target(const char *kind, const char *text, struct warm_target *target)
{
    struct err err;
    bool is_url = strcmp(kind, "--url") == 0;
    if (is_url ? warm_target_from_url(text, target, &err) == 0
               : warm_target_from_listener(text, target, &err) == 0)
        return EXIT_OK;
    report_error(err.text);
    return is_url ? EXIT_USAGE : EXIT_FAILED;
}

int main(int count, char **words)
{
    struct warm_target target;
    struct warm_list list;
    if (count != 4) {
        fputs("usage: gw-warm FILE --url URL | --listener ADDRESS\n", stderr);
        return EXIT_USAGE;
    }
    log_init("gwctl", LOG_LEVEL_WARN);
    signal(SIGPIPE, SIG_IGN);
    int code = find_target(words[2], words[3], &target);
    if (code != EXIT_OK)
        return code;
    code = read_list(words[1], &target, &list) == 0 ? warm_all(&list, &target) : EXIT_FAILED;
    warm_list_free(&list);
    return report_finish_output(code);
}
