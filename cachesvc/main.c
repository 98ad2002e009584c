// cachesvc: the cache's writer. Options, where its memory, its socket and its configuration come
// from, the signals; the rest is server.c's and mirror.c's.
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/control_link.h"
#include "common/end_signals.h"
#include "common/home.h"
#include "common/inherited.h"
#include "common/json.h"
#include "common/keytable.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/notify.h"
#include "common/proto.h"
#include "common/sandbox.h"
#include "common/usock.h"
#include "config.h"
#include "memory.h"
#include "mirror.h"
#include "server.h"

static const char usage[] =
    "Usage: cachesvc [--socket PATH [--memory SIZE]]\n"
    "\n"
    "The cache: a server that clients of Redis can use, whose keys are in shared memory. It is\n"
    "started by gw-supervisor, from which it gets both the memory and the socket. By hand, for a\n"
    "look at it alone:\n"
    "\n"
    "  --socket PATH  serve on this socket (redis-cli -s PATH)\n"
    "  --memory SIZE  of the cache, e.g. 64M (default 256M); its keys end with the process\n"
    "  --help         this text\n"
    "  --version      the version\n"
    "\n"
    "REDIS_HOST, REDIS_PORT and REDIS_PASSWORD say where the Redis behind it is, if there is one "
    "and\n"
    "the ecosystem file does not say it.\n"
    "\n"
    "SIGTERM or SIGINT: answer what was asked, tell Redis what it does not know, then end.\n";

struct program {
    uv_loop_t loop;
    uv_signal_t sigterm, sigint;
    const char *path; // of the socket, by hand; NULL: both are inherited
    int64_t memory_bytes;
    struct memory memory;
    struct state_page *state; // NULL: nobody tells what is read
    struct store *store;
    int listener;
    struct control_link *link; // NULL by hand
    struct config config;
    struct mirror *mirror; // NULL: no Redis
    struct server server;
    bool is_serving;
    struct err *err;
    bool has_failed; // err says why
};

enum { MEMORY_DEFAULT = 256 << 20, DRAIN_MS = 2000 };

// Serves no more. The loop runs out when all that was asked is answered.
static void stop(struct program *program)
{
    control_link_close(program->link);
    program->link = NULL;
    if (program->is_serving)
        server_stop(&program->server);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    notify_send("STOPPING=1");
    stop(signal->data);
}

// Opens the memory; returns the listening socket, or -1.
static int open_inherited(struct program *program, struct err *err)
{
    static struct inherited inherited;
    if (inherited_parse(&inherited, getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
                        getenv("LISTEN_FDNAMES"), getpid(), err) != 0)
        return -1;
    int page = inherited_find(&inherited, FD_CACHE);
    int listener = inherited_find(&inherited, FD_CACHE_SOCKET);
    int state = inherited_find(&inherited, FD_STATE);
    if (page == -1 || listener == -1)
        return err_set(err, "not started by gw-supervisor; see cachesvc --help");
    program->state = state == -1 ? NULL : state_page_map(state, err);
    if (state != -1 && !program->state)
        return -1;
    return memory_map(&program->memory, page, err) == 0 ? listener : -1;
}

static int open_own(struct program *program, struct err *err)
{
    if (memory_make(&program->memory, (uint64_t)program->memory_bytes, err) != 0)
        return -1;
    return usock_listen(program->path, err);
}

// --- serving ------------------------------------------------------------------------------------

static void on_redis_event(void *context, const char *source, const char *name, const char *text)
{
    struct program *program = context;
    if (program->link)
        control_link_event(program->link, source, name, text);
}

static int serve(struct program *program)
{
    if (server_open(&program->server, &program->loop, program->store, program->listener,
                    program->err) != 0)
        return -1;
    program->is_serving = true;
    program->server.touches.page = program->state;
    if (program->config.redis)
        program->mirror = mirror_open(&program->loop, program->config.redis, program->store,
                                      on_redis_event, program);
    else // whatever the one before had
        atomic_store(&store_page(program->store)->redis, SEGMENT_NO_REDIS);
    program->server.service.mirror = program->mirror;
    log_info("serving");
    notify_send("READY=1\nSTATUS=serving");
    return 0;
}

static int on_registered(void *context, struct json_object *answer, struct err *err)
{
    struct program *program = context;
    (void)err;
    if (program->is_serving) // a supervisor that was started anew
        return 0;
    program->has_failed =
        config_from_document(&program->config, json_get_object(answer, "document"), program->err) !=
            0 ||
        serve(program) != 0;
    if (program->has_failed)
        stop(program);
    return 0;
}

static const struct control_link_handlers link_handlers = {.on_registered = on_registered};

static int start(struct program *program)
{
    program->listener =
        program->path ? open_own(program, program->err) : open_inherited(program, program->err);
    if (program->listener == -1)
        return -1;
    program->store = memory_open_store(&program->memory, clock_wall_ms(), program->err);
    if (!program->store)
        return -1;
    if (program->path)
        return config_by_hand(&program->config, program->err) == 0 ? serve(program) : -1;
    if (home_open(program->err) != 0)
        return -1;
    program->link = control_link_open(&program->loop, home_path(HOME_CONTROL), "cachesvc",
                                      &link_handlers, program);
    return 0;
}

static void finish(struct program *program)
{
    end_signals_block();
    if (program->mirror)
        mirror_drain(program->mirror, DRAIN_MS);
    mirror_close(program->mirror);
    if (program->is_serving)
        server_fini(&program->server);
    if (program->is_serving && program->path)
        unlink(program->path);
}

static void open_signal(struct program *program, uv_signal_t *handle, int number)
{
    uv_signal_init(&program->loop, handle);
    handle->data = program;
    uv_signal_start(handle, on_signal, number);
    uv_unref((uv_handle_t *)handle);
}

static int run(struct program *program, struct err *err)
{
    program->err = err;
    uv_loop_init(&program->loop);
    open_signal(program, &program->sigterm, SIGTERM);
    open_signal(program, &program->sigint, SIGINT);
    program->has_failed = start(program) != 0;
    uv_run(&program->loop, UV_RUN_DEFAULT);
    finish(program);
    uv_close((uv_handle_t *)&program->sigterm, NULL);
    uv_close((uv_handle_t *)&program->sigint, NULL);
    uv_run(&program->loop, UV_RUN_DEFAULT);
    uv_loop_close(&program->loop);
    config_clear(&program->config);
    store_close(program->store);
    memory_unmap(&program->memory);
    return program->has_failed ? -1 : 0;
}

static int refuse_arguments(void)
{
    fputs(usage, stderr);
    return EXIT_USAGE;
}

// -1: go on; else the exit status.
static int read_options(struct program *program, int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"memory", required_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    struct err err;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            program->path = optarg;
            break;
        case 'm':
            if (key_parse_size(optarg, &program->memory_bytes, &err) == 0)
                break;
            fprintf(stderr, "cachesvc: --memory: %s\n", err.text);
            return EXIT_USAGE;
        case 'h':
            fputs(usage, stdout);
            return EXIT_OK;
        case 'V':
            puts("cachesvc " GWCTL_VERSION);
            return EXIT_OK;
        default:
            return refuse_arguments();
        }
    }
    return optind < argc ? refuse_arguments() : -1;
}

int main(int argc, char **argv)
{
    struct program *program = mem_zalloc(1, sizeof *program);
    struct err err;
    program->memory_bytes = MEMORY_DEFAULT;
    int status = read_options(program, argc, argv);
    if (status == -1) {
        log_init("cachesvc", LOG_LEVEL_INFO);
        sandbox_enter();
        signal(SIGPIPE, SIG_IGN);
        status = run(program, &err) == 0 ? EXIT_OK : EXIT_FAILED;
        if (status == EXIT_FAILED)
            log_error("%s", err.text);
    }
    free(program);
    return status;
}
