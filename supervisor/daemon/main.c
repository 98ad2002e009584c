// gw-supervisor: keeps the apps of one GWCTL_HOME alive. Started by gw-keeper, which gwctl starts.

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "common/log.h"
#include "common/proto.h"
#include "daemon.h"
#include "ending.h"
#include "file_limit.h"

static const char usage[] =
    "Usage: gw-supervisor [--log-level LEVEL]\n"
    "\n"
    "Keeps the apps of one GWCTL_HOME alive. It is started by `gwctl start` through gw-keeper;\n"
    "by hand only to look at what it does.\n"
    "\n"
    "  --log-level LEVEL   error, warn, info (default) or debug\n"
    "  --version           print the version\n"
    "  --help              print this text\n";

static enum log_level parse_options(int count, char **words)
{
    static const struct option options[] = {{"log-level", required_argument, NULL, 'l'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    enum log_level level = LOG_LEVEL_INFO;
    int option;
    while ((option = getopt_long(count, words, "", options, NULL)) != -1) {
        if (option == 'v') {
            puts("gw-supervisor " GWCTL_VERSION);
            exit(EXIT_OK);
        }
        if (option == 'h') {
            fputs(usage, stdout);
            exit(EXIT_OK);
        }
        if (option != 'l' || log_level_parse(optarg, &level) == -1) {
            fputs(usage, stderr);
            exit(KEEPER_EXIT_FINAL);
        }
    }
    return level;
}

int main(int count, char **words)
{
    static struct daemon daemon;
    static uv_loop_t loop;
    struct err err;
    bool final;

    log_init("gw-supervisor", parse_options(count, words));
    signal(SIGPIPE, SIG_IGN);
    file_limit_raise();
    if (uv_loop_init(&loop) != 0)
        return EXIT_FAILED;
    if (daemon_open(&daemon, &loop, &final, &err) == -1) {
        log_error("%s", err.text);
        return final ? KEEPER_EXIT_FINAL : EXIT_FAILED;
    }
    log_info("version " GWCTL_VERSION " ready");
    uv_run(&loop, UV_RUN_DEFAULT);
    if (daemon.leaving) {
        ending_leave(&daemon);
        return KEEPER_EXIT_LEFT;
    }
    daemon_close(&daemon);
    uv_loop_close(&loop);
    log_info("ended");
    return EXIT_OK;
}
