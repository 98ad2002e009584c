// The course of a worker:
//
//   supervised:  map the state page -> register on control.sock -> configure -> warm the cache
//                -> listen -> READY=1
//   by hand:     read the file -> configure -> listen
//   then:        serve -> SIGTERM: STOPPING=1, drain (drain.h) -> end
//
// Not its job: requests (proxy.c, exchange.c), the time table of a drain (drain.c). Everything runs
// on one libuv loop; `handles` closed at the end let it run out.
#include "worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/control_link.h"
#include "common/ecosystem.h"
#include "common/end_signals.h"
#include "common/home.h"
#include "common/inherited.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/notify.h"
#include "common/proto.h"
#include "common/state_page.h"
#include "config.h"
#include "drain.h"
#include "exchange.h"
#include "listener.h"
#include "loop_lag.h"
#include "server.h"
#include "warming.h"

enum { DRAIN_TICK_MS = 100 };

struct worker {
    uv_loop_t loop;
    uv_signal_t sigterm, sigint;
    uv_check_t turn; // after each turn of the loop
    struct loop_lag lag;
    uv_timer_t drain_timer; // while draining
    struct inherited inherited;
    struct server_pages pages;   // with the metrics page only if there is one
    bool owns_state;             // by hand: a page in the heap
    struct ecosystem *ecosystem; // NULL until configured
    struct server server;        // valid with ecosystem
    struct listeners listeners;  // "
    struct control_link *link;   // NULL by hand
    struct warming *warming;     // until it listens, or NULL
    struct drain drain;
    bool failed; // with the sentence in err
    struct err *err;
};

// --- the end ------------------------------------------------------------------------------------

static void stop_warming(struct worker *worker)
{
    warming_close(worker->warming);
    worker->warming = NULL;
}

static void close_everything(struct worker *worker)
{
    end_signals_block();
    stop_warming(worker);
    uv_close((uv_handle_t *)&worker->sigterm, NULL);
    uv_close((uv_handle_t *)&worker->sigint, NULL);
    uv_close((uv_handle_t *)&worker->turn, NULL);
    loop_lag_close(&worker->lag);
    uv_close((uv_handle_t *)&worker->drain_timer, NULL);
    control_link_close(worker->link);
    worker->link = NULL;
    if (worker->ecosystem != NULL) {
        listeners_close_all(&worker->listeners);
        cache_close(&worker->server.cache);
    }
    uv_stop(&worker->loop);
}

static void fail(struct worker *worker)
{
    worker->failed = true;
    close_everything(worker);
}

static void break_off(struct client *client, void *context)
{
    (void)context;
    if (client->exchange != NULL)
        exchange_end_now(client->exchange);
    else
        client_break(client);
}

static void end_if_idle(struct client *client, void *context)
{
    struct worker *worker = context;
    if (client_is_idle(client) &&
        drain_ends_idle(&worker->drain, uv_now(&worker->loop), client->patience.since_ms))
        client_close_idle(client);
}

static size_t count_clients(const struct worker *worker)
{
    return worker->ecosystem == NULL ? 0 : worker->server.clients.count;
}

static void step_drain(struct worker *worker)
{
    bool changed = drain_step(&worker->drain, uv_now(&worker->loop), count_clients(worker));
    if (!changed)
        return;
    if (worker->drain.state == DRAIN_BREAKING) {
        log_warn("drain: %zu connections are broken off", count_clients(worker));
        clients_each(&worker->server.clients, break_off, NULL);
    } else if (worker->drain.state == DRAIN_OVER) {
        close_everything(worker);
    }
}

static void on_drain_tick(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    if (worker->ecosystem != NULL)
        clients_each(&worker->server.clients, end_if_idle, worker);
    step_drain(worker);
}

static void begin_drain(struct worker *worker)
{
    log_info("drain: %zu connections", count_clients(worker));
    notify_send("STOPPING=1\nSTATUS=draining");
    stop_warming(worker);
    if (worker->ecosystem != NULL) {
        listeners_close_all(&worker->listeners);
        worker->server.draining = true;
        worker->server.context.shutdown_requested = 1; // libh2o's part of `Connection: close`
    }
    uv_timer_start(&worker->drain_timer, on_drain_tick, DRAIN_TICK_MS, DRAIN_TICK_MS);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct worker *worker = signal->data;
    enum drain_state before = worker->drain.state;
    int64_t kill_timeout_ms =
        worker->ecosystem == NULL ? 0 : worker->ecosystem->gateway->process.kill_timeout_ms;
    (void)number;
    drain_order(&worker->drain, uv_now(&worker->loop), kill_timeout_ms);
    if (before == DRAIN_NONE)
        begin_drain(worker);
    else if (before == DRAIN_WAITING && count_clients(worker) > 0)
        clients_each(&worker->server.clients, break_off, NULL);
}

// The supervisor takes a worker whose heartbeat stops for hung. No timer: a loop that has nothing
// to do needs no heart.
static void on_turn(uv_check_t *check)
{
    struct worker *worker = check->data;
    if (worker->ecosystem != NULL)
        atomic_store_explicit(&worker->server.column->heartbeat_ms, uv_now(&worker->loop),
                              memory_order_relaxed);
    if (worker->drain.state != DRAIN_NONE)
        step_drain(worker);
}

static void on_lag(void *context, uint64_t longest_us)
{
    struct worker *worker = context;
    if (worker->ecosystem != NULL)
        atomic_store_explicit(&worker->server.column->loop_lag_us, longest_us,
                              memory_order_relaxed);
}

// --- the beginning ------------------------------------------------------------------------------

static int configure(struct worker *worker, struct ecosystem *ecosystem, size_t column)
{
    if (server_init(&worker->server, &worker->loop, ecosystem->gateway, &worker->pages, column,
                    worker->err) != 0) {
        ecosystem_free(ecosystem);
        return -1;
    }
    worker->ecosystem = ecosystem;
    listeners_init(&worker->listeners, &worker->loop, &worker->server.clients);
    return 0;
}

static int listen_on_inherited(struct worker *worker)
{
    size_t count = 0;
    for (size_t i = 0; i < worker->inherited.count; ++i) {
        const char *name = worker->inherited.names[i];
        if (strncmp(name, FD_LISTEN_PREFIX, strlen(FD_LISTEN_PREFIX)) != 0)
            continue;
        ++count;
        if (listeners_open(&worker->listeners, INHERITED_FIRST_FD + (int)i, name, worker->err) != 0)
            return -1;
    }
    return count > 0 ? 0 : err_set(worker->err, "no listening socket was inherited");
}

static int listen_on_own(struct worker *worker)
{
    const struct key_array *listen = &worker->ecosystem->gateway->listen;
    const struct listen_config *configs = listen->items;
    for (size_t i = 0; i < listen->count; ++i)
        if (listeners_bind(&worker->listeners, &configs[i], worker->err) != 0)
            return -1;
    return 0;
}

static void open_cache(struct worker *worker)
{
    int fd = inherited_find(&worker->inherited, FD_CACHE);
    if (fd != -1)
        cache_open(&worker->server.cache, &worker->loop, fd, home_path(HOME_CACHE));
}

static int take_endpoints(struct worker *worker, struct json_object *args, struct err *err)
{
    if (upstreams_push(&worker->server.upstreams, args, err) != 0)
        return -1;
    control_link_acknowledge(worker->link, worker->server.upstreams.generation);
    return 0;
}

static int serve(struct worker *worker)
{
    if (listen_on_inherited(worker) != 0)
        return -1;
    log_info("serving");
    notify_send("READY=1\nSTATUS=serving");
    return 0;
}

static void on_warmed(void *context)
{
    struct worker *worker = context;
    worker->warming = NULL;
    if (serve(worker) != 0)
        fail(worker);
}

static int start_serving(struct worker *worker, struct json_object *answer, size_t column)
{
    struct ecosystem *ecosystem =
        config_from_document(json_get_object(answer, "document"), worker->err);
    if (ecosystem == NULL || configure(worker, ecosystem, column) != 0)
        return -1;
    if (take_endpoints(worker, json_get_object(answer, "endpoints"), worker->err) != 0)
        return -1;
    if (worker->drain.state != DRAIN_NONE)
        return 0;
    if (monitoring_open(&worker->server.monitoring, &worker->server.upstreams,
                        home_path(HOME_METRICS), worker->err) != 0)
        return -1;
    open_cache(worker);
    worker->warming = warming_start(&worker->server, on_warmed, worker);
    return worker->warming != NULL ? 0 : serve(worker);
}

// --- what the supervisor says -------------------------------------------------------------------

static int on_registered(void *context, struct json_object *answer, struct err *err)
{
    struct worker *worker = context;
    int64_t index = json_get_int(answer, "column", -1);
    if (index < 0 || index >= STATE_COLUMNS)
        return err_set(err, "register: column is not in the state page");
    if (worker->ecosystem != NULL) {
        // A supervisor that starts anew knows nothing of slots that we took over.
        listeners_close_received(&worker->listeners);
        server_move_column(&worker->server, (size_t)index);
        return take_endpoints(worker, json_get_object(answer, "endpoints"), err);
    }
    if (start_serving(worker, answer, (size_t)index) != 0)
        fail(worker);
    return 0;
}

static int on_endpoints(void *context, struct json_object *args, struct err *err)
{
    struct worker *worker = context;
    if (worker->ecosystem == NULL)
        return err_set(err, "endpoints before the answer to register");
    return take_endpoints(worker, args, err);
}

static int on_slot_take(void *context, const char *name, uv_pipe_t *pipe, struct err *err)
{
    struct worker *worker = context;
    if (worker->ecosystem == NULL)
        return err_set(err, "slot_take before the answer to register");
    if (listeners_open_received(&worker->listeners, pipe, name, err) != 0)
        return err_prefix(err, "slot_take");
    log_info("%s: accepting for another slot", name);
    if (worker->drain.state != DRAIN_NONE)
        listeners_close(&worker->listeners, name);
    return 0;
}

static int on_slot_give(void *context, const char *name, struct err *err)
{
    struct worker *worker = context;
    (void)err;
    if (worker->ecosystem != NULL && listeners_close(&worker->listeners, name))
        log_info("%s: given back", name);
    return 0;
}

static const struct control_link_handlers link_handlers = {.on_registered = on_registered,
                                                           .on_endpoints = on_endpoints,
                                                           .on_slot_take = on_slot_take,
                                                           .on_slot_give = on_slot_give};

// --- life ---------------------------------------------------------------------------------------

static int map_pages(struct worker *worker)
{
    int fd = inherited_find(&worker->inherited, FD_STATE);
    if (fd == -1)
        return err_set(worker->err, "no state page was inherited; see gateway --help");
    worker->pages.state = state_page_map(fd, worker->err);
    if (worker->pages.state == NULL)
        return -1;
    fd = inherited_find(&worker->inherited, FD_METRICS);
    if (fd == -1)
        return 0;
    worker->pages.metrics = metrics_page_map(fd, worker->err);
    if (worker->pages.metrics == NULL) // the supervisor is of another version
        log_warn("%s; requests are not counted", worker->err->text);
    return 0;
}

static int start_supervised(struct worker *worker)
{
    const char *home = getenv(ENV_HOME);
    if (home == NULL)
        return err_set(worker->err, "not started by gw-supervisor; see gateway --help");
    if (inherited_parse(&worker->inherited, getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
                        getenv("LISTEN_FDNAMES"), getpid(), worker->err) != 0)
        return -1;
    if (map_pages(worker) != 0 || home_open(worker->err) != 0)
        return -1;
    worker->link = control_link_open(&worker->loop, home_path(HOME_CONTROL), "gateway",
                                     &link_handlers, worker);
    return 0;
}

static int start_alone(struct worker *worker, const char *config_file)
{
    struct ecosystem *ecosystem = config_load(config_file, worker->err);
    worker->owns_state = true;
    worker->pages.state = mem_zalloc(1, sizeof(*worker->pages.state));
    if (ecosystem == NULL || configure(worker, ecosystem, 0) != 0 || listen_on_own(worker) != 0)
        return -1;
    log_info("serving %s alone", config_file);
    notify_send("READY=1\nSTATUS=serving");
    return 0;
}

static void open_handles(struct worker *worker)
{
    uv_loop_init(&worker->loop);
    uv_signal_init(&worker->loop, &worker->sigterm);
    uv_signal_init(&worker->loop, &worker->sigint);
    uv_check_init(&worker->loop, &worker->turn);
    uv_timer_init(&worker->loop, &worker->drain_timer);
    worker->sigterm.data = worker->sigint.data = worker;
    worker->turn.data = worker->drain_timer.data = worker;
    uv_signal_start(&worker->sigterm, on_signal, SIGTERM);
    uv_signal_start(&worker->sigint, on_signal, SIGINT);
    uv_check_start(&worker->turn, on_turn);
    loop_lag_open(&worker->lag, &worker->loop, on_lag, worker);
}

// A connection that could not even be broken off keeps libh2o's context in use; the process ends
// anyway then, and the kernel cleans up.
static void release(struct worker *worker)
{
    if (count_clients(worker) > 0)
        return;
    if (worker->ecosystem != NULL)
        server_fini(&worker->server);
    while (uv_run(&worker->loop, UV_RUN_DEFAULT) != 0)
        ; // a stop that was asked for before is forgotten by the first round
    uv_loop_close(&worker->loop);
    ecosystem_free(worker->ecosystem);
    if (worker->owns_state)
        free(worker->pages.state);
    else
        state_page_unmap(worker->pages.state);
    metrics_page_unmap(worker->pages.metrics);
    free(worker);
}

int worker_run(const char *config_file, struct err *err)
{
    struct worker *worker = mem_zalloc(1, sizeof(*worker));
    worker->err = err;
    open_handles(worker);
    int result = config_file == NULL ? start_supervised(worker) : start_alone(worker, config_file);
    if (result == 0)
        uv_run(&worker->loop, UV_RUN_DEFAULT);
    else
        fail(worker);
    result = worker->failed ? -1 : 0;
    release(worker);
    return result;
}
