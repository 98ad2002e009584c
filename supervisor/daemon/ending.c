// Takes the daemon down, or apart: what stays with the keeper is what a kill -9 would leave there,
// put in order first.
//
// The invariant: while nobody reads them, nothing may hold up an app that stays. So its pipes are
// made large, NOTIFY_SOCKET is no socket any more, and control.sock has another name: workers that
// look for it would bring a supervisor at once, and a client of ours knows both names.

#include "ending.h"

#include <stdio.h>
#include <unistd.h>

#include "common/home.h"
#include "common/log.h"
#include "common/proto.h"
#include "control.h"
#include "daemon.h"
#include "events.h"
#include "guard.h"
#include "keeper_link.h"
#include "memory_watch.h"
#include "notify_socket.h"
#include "snapshot.h"

// --- stopping -----------------------------------------------------------------------------------

static void close_handles(struct daemon *daemon)
{
    unlink(home_path(HOME_CONTROL));
    unlink(home_path(HOME_NOTIFY));
    unlink(home_path(HOME_PID));
    control_close(daemon->control);
    guard_stop(daemon->guard);
    memory_watch_stop(daemon->memory_watch);
    notify_socket_close(daemon->notify);
    keeper_link_close(daemon->keeper);
    uv_close((uv_handle_t *)&daemon->sigterm, NULL);
    uv_close((uv_handle_t *)&daemon->sigint, NULL);
    uv_close((uv_handle_t *)&daemon->sigusr2, NULL);
    uv_close((uv_handle_t *)&daemon->closer, NULL);
    uv_close((uv_handle_t *)&daemon->soon, NULL);
    uv_close((uv_handle_t *)&daemon->before_waiting, NULL);
}

static void on_close_now(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;
    if (daemon->leaving) {
        uv_stop(daemon->loop);
        return;
    }
    while (daemon->apps)
        daemon_forget_app(daemon, daemon->apps);
    close_handles(daemon);
}

static bool stays(struct app *app)
{
    return spec_config(app->spec)->on_supervisor_exit == APP_LEAVE && !app_is_settled(app);
}

// The order of the end: nobody sends requests to what is gone, or asks a sidecar that is.
static unsigned end_stage(const struct app *app)
{
    static const unsigned stages[] = {
        [SPEC_GATEWAY] = 0, [SPEC_APP] = 1, [SPEC_CACHESVC] = 2, [SPEC_METRICSD] = 2};
    return stages[spec_role(app->spec)];
}

// Stops what belongs to the stage; true: all of it has ended.
static bool end_apps(const struct daemon *daemon, unsigned stage)
{
    bool settled = true;
    for (struct app *app = daemon->apps; app; app = app->next) {
        if (end_stage(app) != stage || app_is_settled(app) || (daemon->leaving && stays(app)))
            continue;
        settled = false;
        app_stop(app);
    }
    return settled;
}

void ending_look(struct daemon *daemon)
{
    if (!daemon->ending)
        return;
    for (unsigned stage = 0; stage <= 2; stage++) {
        if (!end_apps(daemon, stage))
            return;
    }
    // Not at once: we may be inside a worker that is about to be freed.
    uv_timer_start(&daemon->closer, on_close_now, 0, 0);
}

static bool any_stays(const struct daemon *daemon)
{
    for (struct app *app = daemon->apps; app; app = app->next) {
        if (stays(app))
            return true;
    }
    return false;
}

void ending_begin(struct daemon *daemon, bool may_leave)
{
    bool leaves = may_leave && (daemon->leaving || !daemon->ending) && any_stays(daemon);
    if (leaves && !keeper_link_connected(daemon->keeper)) {
        log_warn("without a keeper no app can be left running");
        leaves = false;
    }
    daemon->leaving = leaves;
    daemon->ending = true;
    ending_look(daemon);
}

// --- leaving ------------------------------------------------------------------------------------

static void put_down(struct worker *worker, void *context)
{
    size_t *count = context;
    if (worker->process)
        process_put_down(worker->process);
    *count += worker->pid > 0;
}

void ending_leave(struct daemon *daemon)
{
    size_t count = 0;
    for (struct app *app = daemon->apps; app; app = app->next)
        app_each_worker(app, put_down, &count);
    log_info("leaving %zu process%s running", count, count == 1 ? "" : "es");
    events_note(daemon, "supervisor", "leave", "%zu process%s go on", count,
                count == 1 ? "" : "es");
    keeper_link_remove(daemon->keeper, FD_NOTIFY);
    unlink(home_path(HOME_NOTIFY));
    unlink(home_path(HOME_PID));
    snapshot_save(daemon);
    keeper_link_finish(daemon->keeper);
    if (rename(home_path(HOME_CONTROL), home_path(HOME_LEFT)) == -1)
        log_error("%s: %m", home_path(HOME_CONTROL));
}

void ending_undo_leave(bool was_kept)
{
    if (was_kept)
        rename(home_path(HOME_LEFT), home_path(HOME_CONTROL)); // it is not there after a kill -9
    else
        unlink(home_path(HOME_LEFT));
}
