// metricsd: sums up what gateway workers count, and serves it. Options, what is inherited, the
// signals; the rest is server.c's and api.c's.
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "api.h"
#include "clockwork.h"
#include "common/clock.h"
#include "common/config_errors.h"
#include "common/control_link.h"
#include "common/ecosystem.h"
#include "common/end_signals.h"
#include "common/home.h"
#include "common/inherited.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/metrics_page.h"
#include "common/notify.h"
#include "common/proto.h"
#include "common/sandbox.h"
#include "common/segment.h"
#include "common/state_page.h"
#include "facts.h"
#include "memory.h"
#include "server.h"

static const char usage[] = "Usage: metricsd\n"
                            "\n"
                            "Sums up what gateway workers count and serves it as HTTP on a Unix "
                            "socket (/api/monitoring/...\n"
                            "of the gateway). It is started by gw-supervisor, from which it gets "
                            "the socket and the memory\n"
                            "with the numbers, so there is nothing to start by hand.\n"
                            "\n"
                            "  --help     this text\n"
                            "  --version  the version\n"
                            "\n"
                            "SIGTERM or SIGINT: answer what was asked, then end.\n";

struct program {
    uv_loop_t loop;
    uv_signal_t sigterm, sigint;
    struct state_page *state;
    struct memory *memory;
    int segment_fd;         // the cache's memory; -1: there is none
    struct segment segment; // not mapped: as far as is known there is nothing in it
    int listener;
    struct control_link *link;
    struct facts facts;
    struct clockwork clockwork;
    struct api api;
    struct server *server; // NULL: it does not serve
    struct err *err;
    bool is_stopping;
    bool has_failed; // err says why
};

// --- the end ------------------------------------------------------------------------------------

static void on_stopped(void *context)
{
    struct program *program = context;
    control_link_close(program->link);
    program->link = NULL;
    if (program->server)
        clockwork_stop(&program->clockwork);
    uv_stop(&program->loop);
}

static void stop(struct program *program)
{
    program->is_stopping = true;
    if (program->server)
        server_stop(program->server, on_stopped);
    else
        on_stopped(program);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct program *program = signal->data;
    (void)number;
    if (program->is_stopping)
        return; // it takes two seconds at most
    notify_send("STOPPING=1");
    stop(program);
}

// --- serving ------------------------------------------------------------------------------------

static void on_asked(void *context, const struct request *request, struct answer *answer)
{
    struct program *program = context;
    struct moment now = {clock_mono_ms(), clock_wall_ms()};
    api_answer(&program->api, request, now, answer);
}

static void on_reset(void *context, const char *by)
{
    struct program *program = context;
    char text[PROTO_EVENT_SIZE];
    snprintf(text, sizeof text, "by %s", by);
    log_info("metrics: reset %s", text);
    if (program->link)
        control_link_event(program->link, "metrics", "reset", text);
}

static int serve(struct program *program)
{
    api_init(&program->api, &program->facts, clock_mono_ms(), on_reset, program);
    program->server =
        server_open(&program->loop, program->listener, on_asked, program, program->err);
    if (!program->server)
        return -1;
    clockwork_start(&program->clockwork, &program->loop, &program->facts);
    log_info("serving");
    notify_send("READY=1\nSTATUS=serving");
    return 0;
}

// --- what the supervisor says -------------------------------------------------------------------

// Only names come from the configuration: with one that is not understood there are fewer of them.
static void take_document(struct program *program, struct json_object *document)
{
    struct config_errors *errors = config_errors_new("document");
    struct ecosystem *ecosystem = document ? ecosystem_from_document(document, errors) : NULL;
    for (size_t i = 0; i < config_errors_count(errors); i++)
        log_warn("%s", config_errors_text(errors, i));
    config_errors_free(errors);
    ecosystem_free(program->facts.ecosystem);
    program->facts.ecosystem = ecosystem;
}

static int on_endpoints(void *context, struct json_object *args, struct err *err)
{
    struct program *program = context;
    return endpoints_set(&program->facts.endpoints, args, err);
}

// The memory has no header before cachesvc is there for the first time, which the list of processes
// tells; one of another version is as good as none.
static void find_segment(struct program *program)
{
    struct err err;
    if (program->facts.segment && segment_recheck(&program->segment, &err) != 0) {
        program->facts.segment = NULL;
        segment_unmap(&program->segment);
    }
    if (!program->facts.segment && program->segment_fd != -1 &&
        segment_map(&program->segment, program->segment_fd, &err) == 0)
        program->facts.segment = program->segment.header;
}

static int on_processes(void *context, struct json_object *args, struct err *err)
{
    struct program *program = context;
    if (processes_set(&program->facts.processes, json_get_array(args, "processes"), err) != 0)
        return -1;
    find_segment(program);
    if (program->server)
        clockwork_sample_now(&program->clockwork);
    return 0;
}

// Also of a supervisor that was started anew, or has another configuration.
static int on_registered(void *context, struct json_object *answer, struct err *err)
{
    struct program *program = context;
    if (on_processes(program, answer, err) != 0 ||
        on_endpoints(program, json_get_object(answer, "endpoints"), err) != 0)
        return -1;
    take_document(program, json_get_object(answer, "document"));
    if (program->server)
        return 0;
    program->has_failed = serve(program) != 0;
    if (program->has_failed)
        stop(program);
    return 0;
}

static const struct control_link_handlers link_handlers = {
    .on_registered = on_registered, .on_endpoints = on_endpoints, .on_processes = on_processes};

// --- the beginning ------------------------------------------------------------------------------

// Of another version it is left alone: what workers count there is not known, the rest is.
static struct metrics_page *map_metrics(int fd, struct err *err)
{
    struct metrics_page *page = metrics_page_map(fd, err);
    if (page)
        return page;
    log_warn("%s; requests are not counted until supervisor and workers are of this version",
             err->text);
    fd = metrics_page_create(clock_wall_ms(), err);
    if (fd == -1)
        return NULL;
    page = metrics_page_map(fd, err);
    close(fd);
    return page;
}

static int open_pages(struct program *program, const struct inherited *inherited, struct err *err)
{
    struct facts *facts = &program->facts;
    int page = inherited_find(inherited, FD_METRICS), state = inherited_find(inherited, FD_STATE);
    int history = inherited_find(inherited, FD_HISTORY);
    program->listener = inherited_find(inherited, FD_METRICS_SOCKET);
    if (page == -1 || state == -1 || history == -1 || program->listener == -1)
        return err_set(err, "not started by gw-supervisor; see metricsd --help");
    facts->page = map_metrics(page, err);
    if (!facts->page)
        return -1;
    facts->state = program->state = state_page_map(state, err);
    if (!facts->state)
        return -1;
    program->memory = memory_map(history, err);
    if (!program->memory)
        return -1;
    facts->windows = &program->memory->windows;
    facts->history = &program->memory->history;
    facts->merge = merge_new(facts->page);
    merge_read_baseline(facts->merge);
    program->segment_fd = inherited_find(inherited, FD_CACHE);
    return 0;
}

static int start(struct program *program, struct err *err)
{
    static struct inherited inherited;
    if (inherited_parse(&inherited, getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
                        getenv("LISTEN_FDNAMES"), getpid(), err) != 0 ||
        open_pages(program, &inherited, err) != 0 || home_open(err) != 0)
        return -1;
    program->link = control_link_open(&program->loop, home_path(HOME_CONTROL), "metricsd",
                                      &link_handlers, program);
    return 0;
}

static void open_signal(struct program *program, uv_signal_t *handle, int number)
{
    uv_signal_init(&program->loop, handle);
    handle->data = program;
    uv_signal_start(handle, on_signal, number);
    uv_unref((uv_handle_t *)handle);
}

static void finish(struct program *program)
{
    end_signals_block();
    uv_close((uv_handle_t *)&program->sigterm, NULL);
    uv_close((uv_handle_t *)&program->sigint, NULL);
    if (program->server)
        server_close(program->server);
    while (uv_run(&program->loop, UV_RUN_DEFAULT) != 0)
        ; // a stop that was asked for before is forgotten by the first round
    uv_loop_close(&program->loop);
    server_free(program->server);
}

static void release(struct program *program)
{
    struct facts *facts = &program->facts;
    processes_clear(&facts->processes);
    endpoints_clear(&facts->endpoints);
    ecosystem_free(facts->ecosystem);
    merge_free(facts->merge);
    segment_unmap(&program->segment);
    memory_unmap(program->memory);
    state_page_unmap(program->state);
    metrics_page_unmap(facts->page);
    free(program);
}

static int run(struct err *err)
{
    struct program *program = mem_zalloc(1, sizeof *program);
    program->err = err;
    uv_loop_init(&program->loop);
    open_signal(program, &program->sigterm, SIGTERM);
    open_signal(program, &program->sigint, SIGINT);
    program->has_failed = start(program, err) != 0;
    if (!program->has_failed)
        uv_run(&program->loop, UV_RUN_DEFAULT);
    finish(program);
    int result = program->has_failed ? -1 : 0;
    release(program);
    return result;
}

// -1: go on; else the exit status.
static int read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
    int option = getopt_long(argc, argv, "", options, NULL);
    if (option == 'h')
        fputs(usage, stdout);
    else if (option == 'V')
        puts("metricsd " GWCTL_VERSION);
    else if (option != -1 || optind < argc)
        fputs(usage, stderr);
    else
        return -1;
    return option == 'h' || option == 'V' ? EXIT_OK : EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct err err;
    int status = read_options(argc, argv);
    if (status != -1)
        return status;
    log_init("metricsd", LOG_LEVEL_INFO);
    sandbox_enter();
    signal(SIGPIPE, SIG_IGN);
    if (run(&err) == 0)
        return EXIT_OK;
    log_error("%s", err.text);
    return EXIT_FAILED;
}
