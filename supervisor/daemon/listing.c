// Renders apps and workers as JSON. CPU is a share of one core since the last listing.

#include "listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/metrics_page.h"
#include "common/proto.h"
#include "common/secret.h"
#include "process_tree.h"
#include "spawn.h"

// A key is a literal, and no object gets one twice: it is neither copied nor looked up.
static void put(struct json_object *object, const char *key, struct json_object *value)
{
    json_object_object_add_ex(object, key, value,
                              JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

static void put_text(struct json_object *object, const char *key, const char *text)
{
    put(object, key, text ? json_object_new_string(text) : NULL);
}

static void put_number(struct json_object *object, const char *key, int64_t number)
{
    put(object, key, json_object_new_int64(number));
}

const char *listing_status(enum worker_state state)
{
    if (state == WORKER_STARTING)
        return "launching";
    if (state == WORKER_DRAINING)
        return "stopping";
    return worker_state_name(state);
}

struct json_object *listing_restarts(const struct slot *slot)
{
    struct json_object *restarts = json_object_new_object();
    for (int i = 0; i < RESTART_REASONS; i++)
        put_number(restarts, restart_reason_name((enum restart_reason)i), slot->restarts_by[i]);
    return restarts;
}

static struct json_object *masked_env(const struct key_strings *env)
{
    struct json_object *object = json_object_new_object();
    for (size_t i = 0; i < env->count; i++) {
        const char *equals = strchr(env->items[i], '=');
        char *name = mem_strndup(env->items[i], (size_t)(equals - env->items[i]));
        char *value = secret_name_matches(name) ? mem_strdup("***") : secret_mask_url(equals + 1);
        json_object_object_add(object, name, json_object_new_string(value));
        free(name);
        free(value);
    }
    return object;
}

static struct json_object *text_array(const struct key_strings *strings)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; i < strings->count; i++)
        json_object_array_add(array, json_object_new_string(strings->items[i]));
    return array;
}

static struct json_object *build_pm2_env(const struct worker *worker)
{
    const struct app_config *config = spec_config(worker->spec);
    struct json_object *env = json_object_new_object();
    enum spec_role role = spec_role(worker->spec);
    char *out = spawn_log_path(worker, false), *error = spawn_log_path(worker, true);

    put_text(env, "name", worker->app->name);
    put_text(env, "namespace", "default");
    put_text(env, "status", listing_status(worker->state));
    put_number(env, "pm_id", worker->slot->id);
    put_number(env, "restart_time", worker->slot->restarts);
    put_number(env, "unstable_restarts", worker->slot->history.unstable);
    put_number(env, "pm_uptime", (int64_t)worker->online_wall_ms);
    put_number(env, "created_at", (int64_t)worker->slot->created_wall_ms);
    put_text(env, "exec_mode", spec_gateway(worker->spec) ? "cluster_mode" : "fork_mode");
    put_number(env, "instances", (int64_t)worker->app->slot_count);
    put_number(env, "NODE_APP_INSTANCE", worker->slot->index);
    put_text(env, "pm_exec_path", role == SPEC_APP ? config->script : spec_name(worker->spec));
    put_text(env, "pm_cwd", config->cwd);
    put_text(env, "exec_interpreter", config->interpreter);
    put(env, "args", text_array(&config->args));
    put(env, "env", masked_env(&config->env));
    put_text(env, "pm_out_log_path", out);
    put_text(env, "pm_err_log_path", error);
    put_text(env, "pm_log_path", spec_config(worker->spec)->log_file);
    put_number(env, "kill_timeout", config->kill_timeout_ms);
    put_number(env, "min_uptime", config->min_uptime_ms);
    put_number(env, "max_restarts", config->max_restarts);
    put(env, "autorestart", json_object_new_boolean(config->autorestart));
    if (worker->exit_code >= 0)
        put_number(env, "exit_code", worker->exit_code);
    free(out);
    free(error);
    return env;
}

static void put_count(struct json_object *object, const char *key, uint64_t count)
{
    put_number(object, key, (int64_t)count);
}

// What was counted is of the column, not of the process: those that had it before are in it.
static struct json_object *build_counters(const struct worker *worker)
{
    const struct daemon *daemon = worker->app->daemon;
    const struct state_column *now = &daemon->page->column[worker->column];
    const struct metrics_column *ever = &daemon->metrics.page->column[worker->column];
    struct json_object *counters = json_object_new_object();
    put_count(counters, "requests", metrics_column_sum(ever, METRIC_REQUESTS));
    put_count(counters, "retries", metrics_column_sum(ever, METRIC_RETRIES));
    put_count(counters, "failures", metrics_column_sum(ever, METRIC_UPSTREAM_FAILURES));
    put_count(counters, "cache_hits", metrics_column_sum_of(ever, METRIC_CACHE, CACHE_HIT));
    put_count(counters, "cache_misses", metrics_column_sum_of(ever, METRIC_CACHE, CACHE_MISS));
    put_count(counters, "cache_waits", metrics_column_sum(ever, METRIC_CACHE_WAITS));
    put_number(counters, "connections", atomic_load(&now->connections));
    put_number(counters, "in_flight", atomic_load(&now->in_flight));
    return counters;
}

static void describe_listeners(const struct key_array *listen, char *out, size_t size)
{
    const struct listen_config *first = listen->items;
    size_t length = (size_t)snprintf(out, size, "%s", first->address);
    if (listen->count > 1 && length < size)
        snprintf(out + length, size - length, " +%zu", listen->count - 1);
}

// Where it can be reached, for people: an app's own address, the gateway's first and how many more,
// a sidecar's socket.
static void describe_address(const struct worker *worker, char *out, size_t size)
{
    switch (spec_role(worker->spec)) {
    case SPEC_APP:
        worker_address(worker, out, size);
        break;
    case SPEC_GATEWAY:
        describe_listeners(&spec_gateway(worker->spec)->listen, out, size);
        break;
    case SPEC_CACHESVC:
        snprintf(out, size, "cache.sock");
        break;
    case SPEC_METRICSD:
        snprintf(out, size, "metrics.sock");
        break;
    }
}

static struct json_object *build_own(const struct worker *worker, const char *role)
{
    struct json_object *own = json_object_new_object();
    char address[128];
    describe_address(worker, address, sizeof address);
    put_text(own, "state", worker_state_name(worker->state));
    put_text(own, "role", role);
    put_text(own, "reason", worker->reason);
    put_text(own, "ready_by", worker->ready_by);
    put_text(own, "endpoint", address);
    put_number(own, "slot", worker->slot->index);
    put(own, "restarts", listing_restarts(worker->slot));
    if (worker == worker->slot->current)
        put(own, "exits", exit_history_json(&worker->slot->exits));
    put_count(own, "log_lines_lost", worker->slot->log_lines_lost);
    if (worker->exit_signal)
        put_number(own, "exit_signal", worker->exit_signal);
    if (worker->column != WORKER_NO_COLUMN)
        put(own, "counters", build_counters(worker));
    return own;
}

static struct json_object *build_monit(const struct process_tree *usage, double cpu)
{
    struct json_object *monit = json_object_new_object();
    char text[32];
    snprintf(text, sizeof text, "%.1f", cpu);
    put_number(monit, "memory", (int64_t)usage->rss_bytes);
    put(monit, "cpu", json_object_new_double_s(cpu, text));
    return monit;
}

// How many processes there are, and how they were found (process_tree.h).
static struct json_object *build_tree(const struct process_tree *usage)
{
    struct json_object *tree = json_object_new_object();
    put_number(tree, "processes", usage->processes);
    put_text(tree, "followed_by", "session, parent, " ENV_SPAWN);
    return tree;
}

struct walk {
    struct json_object *processes;
    struct process_tree *trees;
    size_t count;
    size_t next;
    uint64_t now_ms;
};

static void count_worker(struct worker *worker, void *context)
{
    struct walk *walk = context;
    walk->trees = mem_realloc(walk->trees, (walk->count + 1) * sizeof *walk->trees);
    walk->trees[walk->count++] = worker_tree(worker);
}

// Per cent of one core, one decimal.
static double cpu_share(struct worker *worker, const struct process_tree *usage, uint64_t now_ms)
{
    uint64_t since = worker->cpu_seen_ms > worker->started_mono_ms ? worker->cpu_seen_ms
                                                                   : worker->started_mono_ms;
    uint64_t before = worker->cpu_seen_ms > worker->started_mono_ms ? worker->cpu_ms : 0;
    uint64_t elapsed = now_ms > since ? now_ms - since : 1;
    uint64_t used = usage->cpu_ms > before ? usage->cpu_ms - before : 0;
    worker->cpu_seen_ms = now_ms;
    worker->cpu_ms = usage->cpu_ms;
    return (double)(used * 1000 / elapsed) / 10.0;
}

static const char *role_of(const struct worker *worker)
{
    if (worker == worker->slot->incoming)
        return "incoming";
    return worker == worker->slot->outgoing ? "outgoing" : "current";
}

static void list_worker(struct worker *worker, void *context)
{
    struct walk *walk = context;
    struct process_tree *usage = &walk->trees[walk->next++];
    struct json_object *process = json_object_new_object();
    double cpu = worker->pid > 0 ? cpu_share(worker, usage, walk->now_ms) : 0;

    put_number(process, "pid", worker->pid);
    put_text(process, "name", worker->app->name);
    put_number(process, "pm_id", worker->slot->id);
    put(process, "monit", build_monit(usage, cpu));
    put(process, "pm2_env", build_pm2_env(worker));
    struct json_object *own = build_own(worker, role_of(worker));
    if (worker->pid > 0)
        put(own, "tree", build_tree(usage));
    put(process, "gwctl", own);
    json_object_array_add(walk->processes, process);
}

struct json_object *listing_build(struct daemon *daemon)
{
    struct walk walk = {.processes = json_object_new_array(), .now_ms = clock_mono_ms()};
    for (struct app *app = daemon->apps; app; app = app->next)
        app_each_worker(app, count_worker, &walk);
    process_tree_measure(walk.trees, walk.count);
    for (struct app *app = daemon->apps; app; app = app->next)
        app_each_worker(app, list_worker, &walk);
    free(walk.trees);
    struct json_object *answer = json_object_new_object();
    put(answer, "processes", walk.processes);
    return answer;
}
