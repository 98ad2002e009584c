// cachesvc: the cache's writer. Options, where its memory and its socket come from, the signals;
// the rest is server.c's.
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/inherited.h"
#include "common/keytable.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/notify.h"
#include "common/proto.h"
#include "common/usock.h"
#include "memory.h"
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
    "SIGTERM or SIGINT: answer what was asked, then end.\n";

struct program {
    uv_loop_t loop;
    uv_signal_t sigterm, sigint;
    const char *path; // of the socket, by hand; NULL: both are inherited
    int64_t memory_bytes;
    struct memory memory;
    struct state_page *state; // NULL: nobody tells what is read
    struct store *store;
    struct server server;
};

enum { MEMORY_DEFAULT = 256 << 20 };

static void on_signal(uv_signal_t *signal, int number)
{
    struct program *program = signal->data;
    (void)number;
    notify_send("STOPPING=1");
    server_stop(&program->server);
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

static int serve(struct program *program, struct err *err)
{
    int listener = program->path ? open_own(program, err) : open_inherited(program, err);
    if (listener == -1)
        return -1;
    program->store = memory_open_store(&program->memory, clock_wall_ms(), err);
    if (!program->store ||
        server_open(&program->server, &program->loop, program->store, listener, err) != 0)
        return -1;
    program->server.touches.page = program->state;
    log_info("serving");
    notify_send("READY=1\nSTATUS=serving");
    uv_run(&program->loop, UV_RUN_DEFAULT);
    server_fini(&program->server);
    if (program->path)
        unlink(program->path);
    return 0;
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
    uv_loop_init(&program->loop);
    open_signal(program, &program->sigterm, SIGTERM);
    open_signal(program, &program->sigint, SIGINT);
    int result = serve(program, err);
    uv_close((uv_handle_t *)&program->sigterm, NULL);
    uv_close((uv_handle_t *)&program->sigint, NULL);
    uv_run(&program->loop, UV_RUN_DEFAULT);
    uv_loop_close(&program->loop);
    store_close(program->store);
    memory_unmap(&program->memory);
    return result;
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
        signal(SIGPIPE, SIG_IGN);
        status = run(program, &err) == 0 ? EXIT_OK : EXIT_FAILED;
        if (status == EXIT_FAILED)
            log_error("%s", err.text);
    }
    free(program);
    return status;
}
