// Brings the supervisor's modules together. What an app, a worker, a command does is theirs; how it
// all ends is ending.c's.

#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/home.h"
#include "common/abandoned.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/proto.h"
#include "control.h"
#include "ending.h"
#include "endpoints.h"
#include "events.h"
#include "guard.h"
#include "keeper_link.h"
#include "kept_socket.h"
#include "log_file.h"
#include "memory_watch.h"
#include "metricsd_feed.h"
#include "notify_socket.h"
#include "operation.h"
#include "port_pool.h"
#include "liveness.h"
#include "readiness.h"
#include "retirement.h"
#include "slot_sockets.h"
#include "snapshot.h"
#include "takeover.h"

enum { LEFTOVERS_PATIENCE_MS = 1600, SOON_MS = 1000 };

// --- looking things up --------------------------------------------------------------------------

struct app *daemon_find_app(const struct daemon *daemon, const char *name)
{
    for (struct app *app = daemon->apps; app; app = app->next) {
        if (strcmp(app->name, name) == 0)
            return app;
    }
    return NULL;
}

struct app *daemon_gateway(const struct daemon *daemon)
{
    for (struct app *app = daemon->apps; app; app = app->next) {
        if (app_is_gateway(app))
            return app;
    }
    return NULL;
}

struct pid_search {
    pid_t pid;
    struct worker *found;
};

static void match_pid(struct worker *worker, void *context)
{
    struct pid_search *search = context;
    if (worker->pid == search->pid)
        search->found = worker;
}

struct worker *daemon_find_pid(const struct daemon *daemon, pid_t pid)
{
    struct pid_search search = {pid, NULL};
    for (struct app *app = daemon->apps; pid > 0 && app; app = app->next)
        app_each_worker(app, match_pid, &search);
    return search.found;
}

void daemon_add_app(struct daemon *daemon, struct app *app)
{
    struct app **at = &daemon->apps;
    while (*at)
        at = &(*at)->next;
    *at = app;
    daemon->changed = true;
    if (app_is_gateway(app))
        guard_wake(daemon->guard);
}

int daemon_open_sidecar(struct daemon *daemon, const struct spec *spec, struct err *err)
{
    const struct cachesvc_config *cachesvc = spec_cachesvc(spec);
    if (cachesvc)
        return cache_page_open(&daemon->cache, (uint64_t)cachesvc->memory_bytes, daemon->keeper,
                               err);
    if (spec_role(spec) == SPEC_METRICSD)
        return metrics_memory_open_sidecar(&daemon->metrics, daemon->keeper, err);
    return 0;
}

static void close_sidecar(struct daemon *daemon, const struct spec *spec)
{
    if (spec_cachesvc(spec))
        cache_page_close(&daemon->cache, daemon->keeper);
    if (spec_role(spec) == SPEC_METRICSD)
        metrics_memory_close_sidecar(&daemon->metrics, daemon->keeper);
}

void daemon_forget_app(struct daemon *daemon, struct app *app)
{
    struct app **at = &daemon->apps;
    while (*at != app)
        at = &(*at)->next;
    *at = app->next;
    log_info("%s: deleted", app->name);
    close_sidecar(daemon, app->spec);
    for (size_t i = 0; i < app->slot_count; i++)
        slot_sockets_close(app, app->slots[i]);
    app_free(app);
    daemon->changed = true;
    if (!daemon->apps)
        daemon->next_id = 0;
}

// --- what a process holds -----------------------------------------------------------------------

int daemon_take_column(struct daemon *daemon)
{
    for (int i = 0; i < STATE_COLUMNS; i++) {
        if (!daemon->columns_used[i]) {
            daemon->columns_used[i] = true;
            state_column_clear(daemon->page, (size_t)i);
            return i;
        }
    }
    return WORKER_NO_COLUMN;
}

void daemon_worker_gone(struct worker *worker)
{
    struct daemon *daemon = worker->app->daemon;
    if (worker->spawn_id != 0)
        snapshot_drop_streams(worker);
    worker->spawn_id = 0;
    if (worker->column != WORKER_NO_COLUMN) {
        state_column_clear(daemon->page, (size_t)worker->column);
        daemon->columns_used[worker->column] = false;
    }
    if (worker->port > 0)
        port_pool_give(daemon->ports, worker->port);
    endpoints_free_index(daemon->endpoints, worker->endpoint);
    if (worker->link)
        control_set_worker(worker->link, NULL);
    worker->column = WORKER_NO_COLUMN;
    worker->endpoint = WORKER_NO_ENDPOINT;
    worker->port = 0;
    worker->link = NULL;
    retirement_cancel(worker->retirement);
}

// --- events from outside ------------------------------------------------------------------------

static void on_notify(void *context, pid_t pid, const struct notify_message *message)
{
    struct daemon *daemon = context;
    // A child of the process may speak for it: they share the session.
    struct worker *worker = daemon_find_pid(daemon, getsid(pid));
    if (worker && worker->readiness && message->ready)
        readiness_notified(worker->readiness);
    if (worker && worker->liveness && message->watchdog)
        liveness_notified(worker->liveness);
}

static void on_foreign_exit(void *context, pid_t pid, int status)
{
    struct worker *worker = daemon_find_pid(context, pid);
    if (worker)
        worker_reaped(worker, status);
    else
        log_debug("pid %d, left by a process of ours, ended with status %d", (int)pid, status);
}

static void on_keeper_lost(void *context)
{
    struct daemon *daemon = context;
    char *keeper = mem_printf("%s/gw-keeper", daemon->programs);
    char *supervisor = mem_printf("%s/gw-supervisor", daemon->programs);
    struct err err;
    log_error("the keeper has died: becoming one, with a new supervisor");
    events_note(daemon, "supervisor", "keeper", "it has died and is replaced");
    snapshot_save(daemon);
    if (keeper_link_become_keeper(daemon->keeper, keeper, supervisor, &err) == -1)
        log_error("%s: sockets would not survive this supervisor", err.text);
    free(keeper);
    free(supervisor);
}

static void on_signal(uv_signal_t *signal, int number)
{
    log_info("signal %d: ending", number);
    ending_begin(signal->data, true);
}

static void on_reopen_signal(uv_signal_t *signal, int number)
{
    struct err err;
    (void)signal;
    if (log_file_reopen_all(&err) == -1)
        log_warn("signal %d: %s", number, err.text);
}

// --- opening ------------------------------------------------------------------------------------

static int store(struct daemon *daemon, const char *name, int fd, struct err *err)
{
    return keeper_link_store(daemon->keeper, name, fd, err);
}

// Of a supervisor that was killed together with its keeper: nothing holds what is needed to go on
// with them. Here nothing waits for us yet, so we may.
static void end_abandoned(struct daemon *daemon)
{
    daemon->abandoned = abandoned_end(home_path(HOME_ROOT), LEFTOVERS_PATIENCE_MS);
    if (daemon->abandoned > 0)
        log_warn("%zu processes, left by an earlier supervisor, were ended", daemon->abandoned);
}

// Held by the keeper as well, so that nobody takes the home while a new supervisor starts.
static int take_lock(struct daemon *daemon, struct err *err)
{
    daemon->lock_fd = keeper_link_take(daemon->keeper, "lock");
    if (daemon->lock_fd >= 0)
        return 0;
    daemon->lock_fd = open(home_path(HOME_LOCK), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (daemon->lock_fd == -1)
        return err_set_errno(err, "%s", home_path(HOME_LOCK));
    if (flock(daemon->lock_fd, LOCK_EX | LOCK_NB) == -1)
        return err_set(err, "%s: another supervisor runs there", home_path(HOME_ROOT));
    end_abandoned(daemon);
    return store(daemon, "lock", daemon->lock_fd, err);
}

// Renamed into its place, so that nobody ever reads an empty one.
static int write_pid(struct err *err)
{
    char temporary[PATH_MAX];
    snprintf(temporary, sizeof temporary, "%s.new", home_path(HOME_PID));
    FILE *file = fopen(temporary, "we");
    if (!file)
        return err_set_errno(err, "%s", temporary);
    fprintf(file, "%d\n", (int)getpid());
    if (fclose(file) != 0 || rename(temporary, home_path(HOME_PID)) == -1)
        return err_set_errno(err, "%s", home_path(HOME_PID));
    return 0;
}

static int open_page(struct daemon *daemon, struct err *err)
{
    daemon->page_fd = keeper_link_take(daemon->keeper, FD_STATE);
    if (daemon->page_fd == -1)
        daemon->page_fd = state_page_create(err);
    if (daemon->page_fd == -1)
        return -1;
    daemon->page = state_page_map(daemon->page_fd, err);
    return daemon->page ? store(daemon, FD_STATE, daemon->page_fd, err) : -1;
}

static int open_notify(struct daemon *daemon, struct err *err)
{
    int kept = keeper_link_take(daemon->keeper, FD_NOTIFY);
    daemon->notify = notify_socket_open(daemon->loop, kept, on_notify, daemon, err);
    if (!daemon->notify)
        return -1;
    return store(daemon, FD_NOTIFY, notify_socket_fd(daemon->notify), err);
}

static int open_control(struct daemon *daemon, struct err *err)
{
    struct err unshared;
    gid_t group;
    daemon->control_fd = keeper_link_take(daemon->keeper, FD_CONTROL);
    ending_undo_leave(daemon->control_fd >= 0);
    if (kept_socket_open(&daemon->control_fd, FD_CONTROL, HOME_CONTROL, daemon->keeper, err) == -1)
        return -1;
    if (home_share(&group, &unshared) == -1)
        log_warn("%s; only the owner may use control.sock", unshared.text);
    daemon->control = control_open(daemon, daemon->control_fd, group);
    return 0;
}

static char *own_folder(void)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return mem_strdup(".");
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    return mem_strdup(path);
}

static void sweep(struct daemon *daemon)
{
    for (struct app *app = daemon->apps, *next; app; app = next) {
        next = app->next;
        app_sweep(app);
        if (app->deleting && !app->reload && app_is_settled(app))
            daemon_forget_app(daemon, app);
    }
}

// Once a turn of the loop, before it waits: however much a turn changes, it is cleaned up, written
// and told once.
static void on_before_waiting(uv_prepare_t *prepare)
{
    struct daemon *daemon = prepare->data;
    if (!daemon->changed)
        return;
    while (daemon->changed) {
        daemon->changed = false;
        sweep(daemon);
        operations_check(daemon->operations);
        ending_look(daemon);
    }
    snapshot_save(daemon);
    metricsd_feed_push(daemon->feed);
}

static void on_soon(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;
    daemon->changed = true;
}

void daemon_change_soon(struct daemon *daemon)
{
    if (!uv_is_active((uv_handle_t *)&daemon->soon))
        uv_timer_start(&daemon->soon, on_soon, SOON_MS, 0);
}

static void count_process(struct worker *worker, void *context)
{
    size_t *count = context;
    *count += worker->pid > 0;
}

static void note_begin(struct daemon *daemon)
{
    size_t processes = 0;
    for (struct app *app = daemon->apps; app; app = app->next)
        app_each_worker(app, count_process, &processes);
    if (events_are_continued(daemon->events))
        events_note(daemon, "supervisor", "takeover", "pid %d, with %zu process%s", (int)getpid(),
                    processes, processes == 1 ? "" : "es");
    else
        events_note(daemon, "supervisor", "start", "pid %d, version " GWCTL_VERSION, (int)getpid());
    if (daemon->abandoned > 0)
        events_note(daemon, "supervisor", "leftovers", "%zu ended", daemon->abandoned);
}

static void take_over(struct daemon *daemon, const struct takeover *takeover)
{
    takeover_act(takeover, daemon);
    note_begin(daemon);
    endpoints_push(daemon->endpoints);
    uv_prepare_init(daemon->loop, &daemon->before_waiting);
    daemon->before_waiting.data = daemon;
    uv_prepare_start(&daemon->before_waiting, on_before_waiting);
    daemon->changed = true;
}

static void watch_signals(struct daemon *daemon)
{
    uv_signal_init(daemon->loop, &daemon->sigterm);
    uv_signal_init(daemon->loop, &daemon->sigint);
    daemon->sigterm.data = daemon->sigint.data = daemon;
    uv_signal_start(&daemon->sigterm, on_signal, SIGTERM);
    uv_signal_start(&daemon->sigint, on_signal, SIGINT);
    uv_signal_init(daemon->loop, &daemon->sigusr2);
    uv_signal_start(&daemon->sigusr2, on_reopen_signal, SIGUSR2);
}

// First of all: a supervisor that cannot go on with what is there has not changed anything, and the
// one before it can come back (supervisor/keeper).
static struct takeover *open_what_was_left(struct daemon *daemon, struct err *err)
{
    struct takeover *takeover = takeover_read(daemon->keeper, err);
    if (takeover && open_page(daemon, err) == 0)
        return takeover;
    takeover_free(takeover);
    err_prefix(err, "what an earlier supervisor left cannot be taken over");
    return NULL;
}

static int open_own(struct daemon *daemon, struct err *err)
{
    daemon->events = events_open(daemon->keeper, err);
    if (!daemon->events || metrics_memory_open_page(&daemon->metrics, daemon->keeper, err) == -1 ||
        open_notify(daemon, err) == -1)
        return -1;
    daemon->programs = own_folder();
    daemon->ports = port_pool_new();
    daemon->operations = operations_new(daemon);
    daemon->endpoints = endpoints_new(daemon);
    daemon->feed = metricsd_feed_new(daemon);
    return open_control(daemon, err) == -1 ? -1 : write_pid(err);
}

int daemon_open(struct daemon *daemon, uv_loop_t *loop, bool *final, struct err *err)
{
    static const struct keeper_link_events keeper_events = {on_foreign_exit, on_keeper_lost};
    memset(daemon, 0, sizeof *daemon);
    daemon->loop = loop;
    daemon->snapshot_fd = -1;
    cache_page_init(&daemon->cache);
    metrics_memory_init(&daemon->metrics);
    *final = true;
    daemon->keeper = keeper_link_open(loop, &keeper_events, daemon, err);
    if (!daemon->keeper || home_open(err) == -1 || take_lock(daemon, err) == -1)
        return -1;
    *final = false;
    struct takeover *takeover = open_what_was_left(daemon, err);
    if (!takeover)
        return -1;
    if (open_own(daemon, err) == -1) {
        takeover_free(takeover);
        return -1;
    }
    daemon->guard = guard_new(daemon);
    daemon->memory_watch = memory_watch_start(daemon);
    uv_timer_init(loop, &daemon->closer);
    uv_timer_init(loop, &daemon->soon);
    daemon->closer.data = daemon->soon.data = daemon;
    watch_signals(daemon);
    take_over(daemon, takeover);
    takeover_free(takeover);
    return 0;
}

// --- closing ------------------------------------------------------------------------------------

void daemon_close(struct daemon *daemon)
{
    operations_free(daemon->operations);
    metricsd_feed_free(daemon->feed);
    events_close(daemon->events);
    endpoints_free(daemon->endpoints);
    port_pool_free(daemon->ports);
    state_page_unmap(daemon->page);
    close(daemon->page_fd);
    metrics_memory_close_page(&daemon->metrics);
    close(daemon->lock_fd);
    free(daemon->programs);
}
