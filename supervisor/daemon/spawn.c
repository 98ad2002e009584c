// What to execute, with which environment and sockets.

#include "spawn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "app.h"
#include "common/clock.h"
#include "common/home.h"
#include "common/mem.h"
#include "common/proto.h"
#include "daemon.h"
#include "endpoints.h"
#include "file_limit.h"
#include "log_path.h"
#include "port_pool.h"
#include "slot_sockets.h"

enum { PAGES_MAX = 3 }; // that a gateway worker inherits beside its sockets

const char *spawn_interpreter(const char *script)
{
    static const char *const by_extension[][2] = {
        {".js", "node"}, {".cjs", "node"}, {".mjs", "node"}, {".py", "python3"},
        {".sh", "bash"}, {".rb", "ruby"},  {".pl", "perl"},  {".php", "php"},
    };
    const char *base = strrchr(script, '/');
    const char *dot = strrchr(base ? base : script, '.');
    for (size_t i = 0; dot && i < sizeof by_extension / sizeof *by_extension; i++) {
        if (strcmp(dot, by_extension[i][0]) == 0)
            return by_extension[i][1];
    }
    return NULL;
}

static bool has_log_of_its_own(const struct worker *worker, const char *own_file)
{
    return !own_file && !spec_config(worker->spec)->merge_logs && worker->app->slot_count > 1;
}

char *spawn_log_path(const struct worker *worker, bool error)
{
    const struct app_config *config = spec_config(worker->spec);
    const char *own = error ? config->error_file : config->out_file;
    if (own)
        return mem_strdup(own);
    return log_path_default(home_path(HOME_LOGS), worker->app->name, error,
                            has_log_of_its_own(worker, own) ? (int)worker->slot->id
                                                            : LOG_PATH_NO_ID);
}

struct log_rotate_config spawn_log_rotation(const struct worker *worker)
{
    const struct app_config *config = spec_config(worker->spec);
    struct log_rotate_config rotation = config->log_rotate;
    int64_t slots = (int64_t)worker->app->slot_count;
    int64_t files = (has_log_of_its_own(worker, config->out_file) ? slots : 1) +
                    (has_log_of_its_own(worker, config->error_file) ? slots : 1) +
                    (config->log_file != NULL);
    if (rotation.max_total_bytes > 0)
        rotation.max_total_bytes = rotation.max_total_bytes / files + 1; // 0 would be no limit
    return rotation;
}

struct log_format spawn_log_format(const struct worker *worker)
{
    const struct app_config *config = spec_config(worker->spec);
    return (struct log_format){.json = config->log_type == LOG_TYPE_JSON,
                               .date = config->log_date_format,
                               .app = worker->app->name,
                               .id = worker->slot->id};
}

// --- what to execute ----------------------------------------------------------------------------

struct words {
    char **items; // NULL-terminated; borrowed strings unless `owned`
    size_t count;
    bool owned;
};

static void add_word(struct words *words, char *word)
{
    words->items = mem_realloc(words->items, (words->count + 2) * sizeof(char *));
    words->items[words->count++] = word;
    words->items[words->count] = NULL;
}

static void words_free(struct words *words)
{
    for (size_t i = 0; words->owned && i < words->count; i++)
        free(words->items[i]);
    free(words->items);
}

// An interpreter looks in the app's folder; what is executed itself may be a name in PATH, which
// gw-exec finds.
static int check_script(const struct app_config *config, bool executed, struct err *err)
{
    const char *script = config->script;
    char *inside = NULL;
    if (executed && !strchr(script, '/'))
        return 0;
    if (*script != '/')
        inside = mem_printf("%s/%s", config->cwd, script);
    int found = access(inside ? inside : script, executed ? X_OK : R_OK);
    free(inside);
    if (found == 0)
        return 0;
    if (errno == EACCES && executed)
        return err_set(err, "script %s: not executable, and no interpreter is known for it",
                       script);
    return err_set_errno(err, "script %s", script);
}

static int build_args(const struct worker *worker, char **own, struct words *args, struct err *err)
{
    const struct app_config *config = spec_config(worker->spec);
    if (spec_role(worker->spec) != SPEC_APP) {
        *own = mem_printf("%s/%s", worker->app->daemon->programs, spec_name(worker->spec));
        add_word(args, *own);
        return 0;
    }
    const char *interpreter =
        config->interpreter ? config->interpreter : spawn_interpreter(config->script);
    if (interpreter && strcmp(interpreter, "none") == 0)
        interpreter = NULL;
    if (check_script(config, !interpreter, err) == -1)
        return -1;
    if (interpreter) {
        add_word(args, (char *)interpreter);
        for (size_t i = 0; i < config->interpreter_args.count; i++)
            add_word(args, config->interpreter_args.items[i]);
    }
    add_word(args, config->script);
    for (size_t i = 0; i < config->args.count; i++)
        add_word(args, config->args.items[i]);
    return 0;
}

// --- environment --------------------------------------------------------------------------------

// Node looks for its channel; another program would only hand it on to its children.
static bool is_node(const char *program)
{
    const char *base = strrchr(program, '/');
    base = base ? base + 1 : program;
    return strcmp(base, "node") == 0 || strcmp(base, "nodejs") == 0;
}

static void set_variable(struct words *env, char *assignment)
{
    size_t name = strcspn(assignment, "=") + 1;
    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->items[i], assignment, name) == 0) {
            free(env->items[i]);
            env->items[i] = assignment;
            return;
        }
    }
    add_word(env, assignment);
}

// What the command had around it; without one, what the supervisor was started with.
static void base_env(const struct worker *worker, struct words *env)
{
    struct json_object *given = spec_environment(worker->spec);
    size_t count = given ? json_object_array_length(given) : 0;
    env->owned = true;
    for (size_t i = 0; i < count; i++)
        add_word(env, mem_strdup(json_object_get_string(json_object_array_get_idx(given, i))));
    for (char **at = environ; !given && *at; at++)
        add_word(env, mem_strdup(*at));
}

static void build_env(const struct worker *worker, struct words *env)
{
    const struct app_config *config = spec_config(worker->spec);
    base_env(worker, env);
    for (size_t i = 0; i < config->env.count; i++)
        set_variable(env, mem_strdup(config->env.items[i]));
    if (worker->port > 0)
        set_variable(env, mem_printf("PORT=%d", worker->port));
    if (config->port == APP_PORT_AUTO)
        set_variable(env, mem_strdup("HOST=127.0.0.1"));
    set_variable(env, mem_printf("%s=%s", ENV_HOME, home_path(HOME_ROOT)));
    set_variable(env, mem_printf("%s=%s", ENV_APP, worker->app->name));
    set_variable(env, mem_printf("%s=%u", ENV_ID, worker->slot->id));
    set_variable(env, mem_printf("%s=%016" PRIx64, ENV_SPAWN, worker->spawn_id));
    set_variable(env, mem_printf("%s=%u", config->instance_var, worker->slot->index));
    set_variable(env, mem_printf("NOTIFY_SOCKET=%s", home_path(HOME_NOTIFY)));
    if (config->watchdog_ms > 0)
        set_variable(env, mem_printf("WATCHDOG_USEC=%" PRId64, config->watchdog_ms * 1000));
}

// --- ports and sockets --------------------------------------------------------------------------

static void find_pid(struct worker *worker, void *context)
{
    bool *any = context;
    *any = *any || worker->pid > 0;
}

// A fixed port that somebody else has would make the readiness probe believe a stranger.
static int check_port_free(const struct worker *worker, int port, struct err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    bool own = false;
    int on = 1;
    app_each_worker(worker->app, find_pid, &own);
    int fd = own ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    int why = errno;
    close(fd);
    if (bound == -1 && why == EADDRINUSE)
        return err_set(err, "port %d is in use by another process", port);
    return 0;
}

static int take_port(struct worker *worker, struct err *err)
{
    const struct app_config *config = spec_config(worker->spec);
    struct daemon *daemon = worker->app->daemon;
    if (config->port == APP_PORT_NONE)
        return 0;
    if (config->port == APP_PORT_AUTO)
        worker->port = port_pool_take(daemon->ports, err);
    else
        worker->port = (int)config->port;
    if (worker->port == -1 ||
        (config->port > 0 && check_port_free(worker, worker->port, err) == -1)) {
        worker->port = 0;
        return -1;
    }
    worker->endpoint = endpoints_take_index(daemon->endpoints);
    if (worker->endpoint == WORKER_NO_ENDPOINT)
        return err_set(err, "too many processes with a port (at most %d)", STATE_ENDPOINTS);
    return 0;
}

// At most PAGES_MAX.
static size_t page_fds(const struct daemon *daemon, struct process_fd *fds)
{
    size_t count = 0;
    fds[count++] = (struct process_fd){daemon->page_fd, FD_STATE};
    fds[count++] = (struct process_fd){daemon->metrics.page_fd, FD_METRICS};
    if (daemon->cache.read_fd >= 0)
        fds[count++] = (struct process_fd){daemon->cache.read_fd, FD_CACHE};
    return count;
}

static size_t gateway_fds(const struct worker *worker, struct process_fd *fds)
{
    const struct daemon *daemon = worker->app->daemon;
    const struct key_array *listen = &spec_gateway(worker->spec)->listen;
    const struct listen_config *list = listen->items;
    size_t count = 0;
    for (size_t i = 0; i < listen->count && count < PROCESS_FDS_MAX - PAGES_MAX; i++) {
        fds[count].fd = slot_socket_fd(worker->slot, list[i].address);
        snprintf(fds[count].name, sizeof fds[count].name, FD_LISTEN_PREFIX "%zu", i);
        count++;
    }
    return count + page_fds(daemon, fds + count);
}

static size_t metricsd_fds(const struct daemon *daemon, struct process_fd *fds)
{
    fds[0] = (struct process_fd){daemon->metrics.socket_fd, FD_METRICS_SOCKET};
    fds[1] = (struct process_fd){daemon->metrics.history_fd, FD_HISTORY};
    return 2 + page_fds(daemon, fds + 2);
}

static size_t collect_fds(const struct worker *worker, struct process_fd *fds)
{
    const struct daemon *daemon = worker->app->daemon;
    switch (spec_role(worker->spec)) {
    case SPEC_APP:
        return 0;
    case SPEC_GATEWAY:
        return gateway_fds(worker, fds);
    case SPEC_CACHESVC:
        fds[0] = (struct process_fd){daemon->cache.write_fd, FD_CACHE};
        fds[1] = (struct process_fd){daemon->cache.socket_fd, FD_CACHE_SOCKET};
        fds[2] = (struct process_fd){daemon->page_fd, FD_STATE};
        return 3;
    case SPEC_METRICSD:
        return metricsd_fds(daemon, fds);
    }
    return 0;
}

static int start_process(struct worker *worker, const struct process_events *events, char **args,
                         char **env, struct err *err)
{
    const struct app_config *config = spec_config(worker->spec);
    struct process_fd fds[PROCESS_FDS_MAX];
    char *launcher = mem_printf("%s/gw-exec", worker->app->daemon->programs);
    char *out = spawn_log_path(worker, false);
    char *error = spawn_log_path(worker, true);
    struct log_rotate_config rotation = spawn_log_rotation(worker);
    struct log_format format = spawn_log_format(worker);
    struct process_options options = {
        .launcher = launcher,
        .label = worker->label,
        .args = args,
        .env = env,
        .cwd = config->cwd,
        .out_path = out,
        .error_path = error,
        .combined_path = config->log_file,
        .rotation = &rotation,
        .format = &format,
        .fds = fds,
        .fd_count = collect_fds(worker, fds),
        .node_channel = is_node(args[0]),
        .uid = config->uid,
        .gid = config->gid,
        .limits = {.umask = config->umask,
                   .nofile = config->limit_nofile,
                   .nproc = config->limit_nproc,
                   .core = config->limit_core,
                   .nice = config->nice,
                   .oom_score_adj = config->oom_score_adj,
                   .nofile_soft = file_limit_of_programs(),
                   .cpu = config->cpu},
        .no_new_privileges = config->no_new_privileges || spec_role(worker->spec) != SPEC_APP,
    };
    worker->process = process_start(worker->app->daemon->loop, &options, events, worker, err);
    free(launcher);
    free(out);
    free(error);
    if (!worker->process)
        return -1;
    struct process_identity identity = process_identity(worker->process);
    worker->pid = identity.pid;
    worker->start_ticks = identity.start_ticks;
    return 0;
}

// What our own programs inherit.
static int open_needs(const struct worker *worker, struct err *err)
{
    const struct gateway_config *gateway = spec_gateway(worker->spec);
    return gateway ? slot_sockets_open(worker->app, worker->slot, gateway, err)
                   : daemon_open_sidecar(worker->app->daemon, worker->spec, err);
}

static uint64_t new_spawn_id(void)
{
    uint64_t id;
    if (getrandom(&id, sizeof id, 0) != sizeof id || id == 0)
        id = clock_mono_ms() << 16 | 1; // no entropy yet: at least no earlier one's
    return id;
}

int spawn_worker(struct worker *worker, const struct process_events *events, struct err *err)
{
    struct words args = {0}, env = {0};
    char *own = NULL;
    int result = -1;

    worker->spawn_id = new_spawn_id();
    if (build_args(worker, &own, &args, err) == 0 && open_needs(worker, err) == 0 &&
        take_port(worker, err) == 0) {
        build_env(worker, &env);
        result = start_process(worker, events, args.items, env.items, err);
    }
    if (result == -1)
        daemon_worker_gone(worker);
    words_free(&args);
    words_free(&env);
    free(own);
    return result;
}
