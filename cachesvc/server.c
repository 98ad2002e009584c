// The listener and the timers.
//
//   housekeeping  every second: the beat that tells readers of the page that we are here; and, at
//                 once while there is more, memory of expired keys
//   waiting       while clients wait for locks: those that expired
//   working       an idle handle while there are jobs: WORK_MS of them a turn of the loop, so that
//                 other clients are served in between
//   grace         after server_stop: who has not taken its replies by then is closed
#include "server.h"

#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/log.h"
#include "reply.h"

enum {
    BACKLOG = 511,
    CLIENTS_MAX = 10000,
    FDS_OWN = 32,
    COMMAND_MAX = 64 << 20,
    REPLY_MAX = 64 << 20,
    HOUSEKEEPING_MS = 1000,
    EXPIRE_BUDGET = 256,
    WORK_MS = 2,
    GRACE_MS = 3000,
};

// --- timers -------------------------------------------------------------------------------------

static void on_housekeeping(uv_timer_t *timer)
{
    struct server *server = timer->data;
    struct service *service = &server->service;
    segment_beat(store_page(service->store), clock_mono_ms());
    bool more = store_expire_some(service->store, clock_wall_ms(), EXPIRE_BUDGET);
    touches_take(&server->touches, service->store);
    uv_timer_start(timer, on_housekeeping, more ? 1 : HOUSEKEEPING_MS, 0);
    if (more)
        return;
    service->commands_per_second = service->commands > server->commands_before
                                       ? service->commands - server->commands_before
                                       : 0;
    server->commands_before = service->commands;
}

static void on_waiting(uv_timer_t *timer)
{
    struct server *server = timer->data;
    waiters_check(&server->service.waiters, server->service.store, clock_wall_ms(),
                  uv_now(server->loop));
    server_answer_due(server);
    server_on_blocked(server);
}

static void on_working(uv_idle_t *idle)
{
    struct server *server = idle->data;
    uint64_t end_ns = uv_hrtime() + WORK_MS * UINT64_C(1000000);
    while (server->jobs && uv_hrtime() < end_ns)
        connection_step_job(server->jobs);
    server_answer_due(server);
    if (!server->jobs)
        uv_idle_stop(idle);
}

void server_on_blocked(struct server *server)
{
    struct waiters *waiters = &server->service.waiters;
    if (server->jobs)
        uv_idle_start(&server->working, on_working);
    if (waiters->count > 0 && !uv_is_active((uv_handle_t *)&server->waiting))
        uv_timer_start(&server->waiting, on_waiting, waiters_pause_ms(waiters), 0);
}

void server_answer_due(struct server *server)
{
    struct waiters *waiters = &server->service.waiters;
    struct waiter *waiter;
    while ((waiter = waiters_due(waiters)) != NULL) {
        reply_integer(&server->out, waiter->answer);
        waiters_remove(waiters, waiter);
        connection_unblock(connection_of_waiter(waiter));
    }
}

// --- life ---------------------------------------------------------------------------------------

static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0)
        connection_accept(listener->data, listener);
    else
        log_warn("cache.sock: %s", uv_strerror(status));
}

// As many as there can be descriptors for.
static size_t count_clients_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return CLIENTS_MAX;
    if (limit.rlim_cur < CLIENTS_MAX + FDS_OWN && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur =
            limit.rlim_max < CLIENTS_MAX + FDS_OWN ? limit.rlim_max : CLIENTS_MAX + FDS_OWN;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur <= 2 * FDS_OWN)
        return FDS_OWN;
    return limit.rlim_cur - FDS_OWN < CLIENTS_MAX ? limit.rlim_cur - FDS_OWN : CLIENTS_MAX;
}

static void open_handles(struct server *server)
{
    uv_pipe_init(server->loop, &server->listener, 0);
    uv_timer_init(server->loop, &server->housekeeping);
    uv_timer_init(server->loop, &server->waiting);
    uv_timer_init(server->loop, &server->grace);
    uv_idle_init(server->loop, &server->working);
    server->listener.data = server->housekeeping.data = server->waiting.data = server;
    server->grace.data = server->working.data = server;
}

static void close_handles(struct server *server)
{
    uv_close((uv_handle_t *)&server->housekeeping, NULL);
    uv_close((uv_handle_t *)&server->waiting, NULL);
    uv_close((uv_handle_t *)&server->grace, NULL);
    uv_close((uv_handle_t *)&server->working, NULL);
}

int server_open(struct server *server, uv_loop_t *loop, struct store *store, int fd,
                struct err *err)
{
    struct store_stats stats;
    store_stats(store, &stats);
    memset(server, 0, sizeof *server);
    server->loop = loop;
    server->service.store = store;
    server->service.reply_max = REPLY_MAX;
    server->service.started_ms = clock_wall_ms();
    server->clients_max = count_clients_max();
    server->command_max = stats.memory < COMMAND_MAX ? stats.memory : COMMAND_MAX;
    server->service.value_max = server->command_max;
    open_handles(server);
    int result = uv_pipe_open(&server->listener, fd);
    if (result == 0)
        result = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
    if (result != 0) {
        uv_close((uv_handle_t *)&server->listener, NULL);
        close_handles(server);
        return err_set(err, "cache.sock: %s", uv_strerror(result));
    }
    segment_beat(store_page(store), clock_mono_ms());
    uv_timer_start(&server->housekeeping, on_housekeeping, HOUSEKEEPING_MS, 0);
    uv_unref((uv_handle_t *)&server->housekeeping);
    return 0;
}

static void on_grace(uv_timer_t *timer)
{
    struct server *server = timer->data;
    struct session *session = server->service.sessions.first;
    log_warn("stopping: %zu connections are broken off", server->service.sessions.count);
    while (session) {
        struct session *after = session->after;
        connection_close(connection_of_session(session));
        session = after;
    }
}

void server_stop(struct server *server)
{
    if (server->is_stopping)
        return;
    server->is_stopping = true;
    uv_close((uv_handle_t *)&server->listener, NULL);
    uv_timer_start(&server->grace, on_grace, GRACE_MS, 0);
    uv_unref((uv_handle_t *)&server->grace);
    waiters_give_up(&server->service.waiters);
    server_answer_due(server);
    struct session *session = server->service.sessions.first;
    while (session) {
        struct session *after = session->after;
        connection_end(connection_of_session(session));
        session = after;
    }
    server_answer_due(server);
}

void server_fini(struct server *server)
{
    close_handles(server);
    buf_free(&server->out);
    buf_free(&server->service.scratch);
}
