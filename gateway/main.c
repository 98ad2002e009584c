// gateway: one worker of the gateway. Options, and what concerns the whole process; the rest is
// worker.c's.
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>

#include "common/log.h"
#include "common/proto.h"
#include "common/sandbox.h"
#include "epoll_dedupe.h"
#include "request_chunks.h"
#include "worker.h"

static const char usage[] =
    "Usage: gateway [--config FILE]\n"
    "\n"
    "A worker of the gateway. Workers are started by gw-supervisor, from which they get their\n"
    "sockets and their configuration (see gwctl start). By hand, for a look at one alone:\n"
    "\n"
    "  --config FILE  serve the \"gateway\" part of an ecosystem file; upstreams need `servers`\n"
    "  --help         this text\n"
    "  --version      the version\n"
    "\n"
    "SIGTERM or SIGINT: answer what was asked, then end; a second one: end now.\n";

// Under load libh2o holds and releases memory in waves. Without these the heap is given back and
// faulted in again with each wave, which costs more than serving does.
static void tune_heap(void)
{
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_TOP_PAD, 16 << 20);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    const char *config_file = NULL;
    struct err err;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config_file = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_OK;
        case 'V':
            puts("gateway " GWCTL_VERSION);
            return EXIT_OK;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    log_init("gateway", LOG_LEVEL_INFO);
    sandbox_enter();
    signal(SIGPIPE, SIG_IGN);
    tune_heap();
    epoll_dedupe_init();
    request_chunks_init();
    if (worker_run(config_file, &err) == 0)
        return EXIT_OK;
    log_error("%s", err.text);
    return EXIT_FAILED;
}
