// Once a second, and only when an app has a cap: one walk through /proc for resident memory.
// Private memory, which costs the kernel a walk through page tables, is asked for only where the
// resident one, which is never less, is above a cap.

#include "memory_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "events.h"
#include "memory_cap.h"
#include "process_tree.h"
#include "reload.h"

enum { INTERVAL_MS = 1000, MEGABYTE = 1 << 20 };

struct memory_watch {
    struct daemon *daemon;
    uv_timer_t timer;
};

struct look {
    struct worker **workers;
    struct process_tree *trees;
    size_t count;
};

static void add_worker(struct worker *worker, void *context)
{
    struct look *look = context;
    struct memory_cap cap = memory_cap_of(spec_config(worker->spec));
    if (!worker->process || memory_cap_lowest(&cap) == UINT64_MAX)
        return;
    look->workers = mem_realloc(look->workers, (look->count + 1) * sizeof(struct worker *));
    look->trees = mem_realloc(look->trees, (look->count + 1) * sizeof *look->trees);
    look->workers[look->count] = worker;
    look->trees[look->count++] = worker_tree(worker);
}

// A reload replaces the process that serves; those that come and go are on their way already.
static bool can_be_reloaded(const struct worker *worker)
{
    const struct app *app = worker->app;
    return worker == worker->slot->current && worker->state == WORKER_ONLINE && !app->reload &&
           !app->deleting && !app->daemon->ending && !app_is_shrinking(app);
}

static void reload_one(struct worker *worker, uint64_t bytes, uint64_t cap_bytes)
{
    struct err err;
    log_warn("%s: %" PRIu64 " MB of memory of its own, the cap is %" PRIu64 " MB: reload",
             worker->label, bytes / MEGABYTE, cap_bytes / MEGABYTE);
    events_note_worker(worker, "process", "memory", "%" PRIu64 " MB, the cap is %" PRIu64 " MB",
                       bytes / MEGABYTE, cap_bytes / MEGABYTE);
    worker->slot->memory_tried_ms = clock_mono_ms();
    if (reload_start_slot(worker->slot, RESTART_MEMORY, &err) == -1)
        log_warn("%s", err.text);
}

static void judge(struct worker *worker, const struct process_tree *tree)
{
    struct memory_cap cap = memory_cap_of(spec_config(worker->spec));
    char why[96];
    if (tree->rss_bytes <= memory_cap_lowest(&cap))
        return;
    uint64_t bytes = process_tree_private(tree);
    switch (memory_cap_judge(&cap, bytes, worker->slot->memory_tried_ms, clock_mono_ms())) {
    case MEMORY_FINE:
        break;
    case MEMORY_RELOAD:
        if (can_be_reloaded(worker))
            reload_one(worker, bytes, cap.reload_bytes);
        break;
    case MEMORY_KILL:
        snprintf(why, sizeof why,
                 "%" PRIu64 " MB of memory of its own, the limit is %" PRIu64 " MB",
                 bytes / MEGABYTE, cap.kill_bytes / MEGABYTE);
        worker_kill(worker, RESTART_MEMORY, why);
        break;
    }
}

static void on_look(uv_timer_t *timer)
{
    struct memory_watch *watch = timer->data;
    struct look look = {0};

    for (struct app *app = watch->daemon->apps; app; app = app->next)
        app_each_worker(app, add_worker, &look);
    if (look.count > 0)
        process_tree_measure(look.trees, look.count);
    // No verdict frees a worker that has a process.
    for (size_t i = 0; i < look.count; i++)
        judge(look.workers[i], &look.trees[i]);
    free(look.workers);
    free(look.trees);
}

struct memory_watch *memory_watch_start(struct daemon *daemon)
{
    struct memory_watch *watch = mem_zalloc(1, sizeof *watch);
    watch->daemon = daemon;
    uv_timer_init(daemon->loop, &watch->timer);
    watch->timer.data = watch;
    uv_timer_start(&watch->timer, on_look, INTERVAL_MS, INTERVAL_MS);
    return watch;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void memory_watch_stop(struct memory_watch *watch)
{
    uv_close((uv_handle_t *)&watch->timer, on_closed);
}
