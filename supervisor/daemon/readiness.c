// Looks for the proof that readiness.h names. Probes are repeated until one succeeds.

#include "readiness.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "daemon.h"
#include "probe.h"
#include "worker.h"

enum { ALIVE_MS = 500 };

static const char *const proofs[] = {"http",   "tcp", "exec", "log",
                                     "notify", "ipc", "port", "500 ms alive"};

struct readiness {
    struct worker *worker;
    uv_timer_t timer; // the next try, or the 500 ms of an app without any proof
    struct probe *probe;
    const struct ready_config *config;
    const char *word; // what the probe proves, for people; NULL: no probe
};

static void try_probe(struct readiness *readiness);

static void on_alive(uv_timer_t *timer)
{
    struct readiness *readiness = timer->data;
    worker_ready(readiness->worker, "500 ms alive");
}

static void on_retry(uv_timer_t *timer)
{
    try_probe(timer->data);
}

static void on_probed(void *context, bool ok, const char *reason)
{
    struct readiness *readiness = context;
    (void)reason; // only that it never succeeded matters, and the ready timer tells it
    readiness->probe = NULL;
    if (ok)
        worker_ready(readiness->worker, readiness->word);
    else
        uv_timer_start(&readiness->timer, on_retry, (uint64_t)readiness->config->interval_ms, 0);
}

static void try_probe(struct readiness *readiness)
{
    const struct ready_config *config = readiness->config;
    struct probe_options options = {
        .kind = config->http   ? PROBE_HTTP
                : config->exec ? PROBE_EXEC
                               : PROBE_TCP,
        .host = "127.0.0.1",
        .port = readiness->worker->port,
        .path = config->http,
        .command = config->exec,
        .cwd = spec_config(readiness->worker->spec)->cwd,
        .timeout_ms = 2000,
    };
    readiness->probe =
        probe_start(readiness->worker->app->daemon->loop, &options, on_probed, readiness);
}

static bool notified_only(const struct worker *worker)
{
    return spec_config(worker->spec)->wait_ready;
}

static bool is_explicit(const struct ready_config *config)
{
    return config->http || config->tcp || config->exec || config->log;
}

static const char *probe_word(const struct readiness *readiness)
{
    const struct ready_config *config = readiness->config;
    if (config->http)
        return "http";
    if (config->exec)
        return "exec";
    if (config->tcp)
        return "tcp";
    if (!config->log && !notified_only(readiness->worker) && readiness->worker->port > 0)
        return "port";
    return NULL;
}

struct readiness *readiness_start(struct worker *worker)
{
    struct readiness *readiness = mem_zalloc(1, sizeof *readiness);
    readiness->worker = worker;
    readiness->config = &spec_config(worker->spec)->ready;
    readiness->word = probe_word(readiness);
    uv_timer_init(worker->app->daemon->loop, &readiness->timer);
    readiness->timer.data = readiness;
    return readiness;
}

void readiness_executed(struct readiness *readiness)
{
    if (readiness->word)
        try_probe(readiness);
    else if (!is_explicit(readiness->config) && !notified_only(readiness->worker))
        uv_timer_start(&readiness->timer, on_alive, ALIVE_MS, 0);
}

void readiness_line(struct readiness *readiness, const char *line, size_t length)
{
    const char *wanted = readiness->config->log;
    if (wanted && memmem(line, length, wanted, strlen(wanted)))
        worker_ready(readiness->worker, "log");
}

void readiness_notified(struct readiness *readiness)
{
    if (!is_explicit(readiness->config))
        worker_ready(readiness->worker, "notify");
}

void readiness_node_ready(struct readiness *readiness)
{
    if (!is_explicit(readiness->config))
        worker_ready(readiness->worker, "ipc");
}

const char *readiness_proof(const char *word)
{
    for (size_t i = 0; i < sizeof proofs / sizeof *proofs; i++) {
        if (strcmp(proofs[i], word) == 0)
            return proofs[i];
    }
    return NULL;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void readiness_cancel(struct readiness *readiness)
{
    if (!readiness)
        return;
    probe_cancel(readiness->probe);
    uv_close((uv_handle_t *)&readiness->timer, on_closed);
}
