// The keys of an app, and those of them that the gateway has too.
//
// Each key is one row; rows that both have are written once, in PROCESS_ROWS. Not its job: what an
// app has to do with others of its file (ecosystem.c).

#include "common/app_config.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_path.h"
#include "common/cpu_list.h"
#include "common/mem.h"
#include "common/signal_name.h"

enum {
    NAME_LIMIT = 64,
    READY_TIMEOUT_MS = 30000,
    READY_INTERVAL_MS = 100,
};

#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)
#define MEMORY_MAX (INT64_C(1) << 50)

// --- values of their own kind -----------------------------------------------------------------

static const char *text_of(struct json_object *value)
{
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static int fail_value(struct json_object *value, struct err *err, const char *what)
{
    char *quoted = config_quote(value);
    (void)err_set(err, "%s is not %s", quoted, what);
    free(quoted);
    return -1;
}

// A number, or a string that holds one to its end; else *number is left as it is.
static bool read_number(struct json_object *value, int base, int64_t *number)
{
    const char *text = text_of(value);
    char *end;
    if (json_object_is_type(value, json_type_int)) {
        *number = json_object_get_int64(value);
        return true;
    }
    if (!isdigit((unsigned char)*text) && *text != '-')
        return false;
    long long read = strtoll(text, &end, base);
    if (end == text || *end)
        return false;
    *number = read;
    return true;
}

static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"gateway", "cachesvc", "metricsd", "all"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(name, reserved[i]) == 0)
            return true;
    return false;
}

static int parse_name(struct json_object *value, void *field, struct err *err)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    const char *name = text_of(value);
    size_t length = strlen(name);

    if (length == 0 || length > NAME_LIMIT || strspn(name, letters) != length ||
        length != (size_t)json_object_get_string_len(value))
        return fail_value(value, err, "a name (1 to 64 letters, digits, \".\", \"_\", \"-\")");
    if (*name == '-' || *name == '.')
        return fail_value(value, err, "a name: it begins with \"-\" or \".\"");
    if (strspn(name, "0123456789") == length)
        return fail_value(value, err, "a name: it reads as an id");
    if (is_reserved(name))
        return fail_value(value, err, "free: the name is reserved");
    *(char **)field = mem_strdup(name);
    return 0;
}

static void clear_text(void *field)
{
    free(*(char **)field);
    *(char **)field = NULL;
}

static int parse_instances(struct json_object *value, void *field, struct err *err)
{
    int64_t number = APP_INSTANCES_MAX;
    bool is_number = read_number(value, 10, &number);
    if (!is_number && strcmp(text_of(value), "max") != 0)
        return fail_value(value, err, "a number of instances (1 to 256, or \"max\")");
    if (number < -APP_INSTANCES_LIMIT || number > APP_INSTANCES_LIMIT)
        return fail_value(value, err, "a number of instances (1 to 256, or \"max\")");
    *(int64_t *)field = number;
    return 0;
}

static int parse_port(struct json_object *value, void *field, struct err *err)
{
    int64_t number;
    bool is_number = read_number(value, 10, &number);
    if (is_number ? number < 1 || number > 65535 : strcmp(text_of(value), "auto") != 0)
        return fail_value(value, err, "a port (1 to 65535, or \"auto\")");
    *(int64_t *)field = is_number ? number : APP_PORT_AUTO;
    return 0;
}

static int parse_signal(struct json_object *value, void *field, struct err *err)
{
    int number = signal_name_find(text_of(value));
    if (number == 0)
        return fail_value(value, err, "the name of a signal (such as \"SIGTERM\")");
    *(int *)field = number;
    return 0;
}

static int parse_stop_exits(struct json_object *value, void *field, struct err *err)
{
    return exit_set_parse(value, field, err);
}

// Only a string: the JSON number 22 would be another mask than people mean.
static int parse_umask(struct json_object *value, void *field, struct err *err)
{
    int64_t mask = -1;
    const char *text = text_of(value);
    bool is_inherited = !value || strcmp(text, "null") == 0;
    bool is_octal = *text && strspn(text, "01234567") == strlen(text);
    if (!is_inherited && (!is_octal || !read_number(value, 8, &mask) || mask > 0777))
        return fail_value(value, err, "an octal mask in a string (such as \"022\"), or null");
    *(int64_t *)field = mask;
    return 0;
}

static bool is_null(struct json_object *value)
{
    return !value || strcmp(text_of(value), "null") == 0;
}

static int parse_core(struct json_object *value, void *field, struct err *err)
{
    int64_t bytes = APP_CORE_INHERIT;
    if (strcmp(text_of(value), "unlimited") == 0)
        bytes = APP_CORE_UNLIMITED;
    else if (!is_null(value) && (!read_number(value, 10, &bytes) || bytes < 0))
        return fail_value(value, err, "a number of bytes, \"unlimited\", or null");
    *(int64_t *)field = bytes;
    return 0;
}

static int parse_oom(struct json_object *value, void *field, struct err *err)
{
    int64_t score = APP_OOM_INHERIT;
    if (!is_null(value) &&
        (!read_number(value, 10, &score) || score < -APP_OOM_LIMIT || score > APP_OOM_LIMIT))
        return fail_value(value, err, "a number from -1000 to 1000, or null");
    *(int64_t *)field = score;
    return 0;
}

static int parse_cpu(struct json_object *value, void *field, struct err *err)
{
    const char *text = text_of(value);
    if (!cpu_list_parse(text, NULL, NULL))
        return fail_value(value, err, "a list of CPUs in a string (such as \"0-3,6\")");
    *(char **)field = mem_strdup(text);
    return 0;
}

// --- tables -----------------------------------------------------------------------------------

#define READY(field) offsetof(struct ready_config, field)
#define RELOAD(field) offsetof(struct reload_config, field)
#define APP(field) offsetof(struct app_config, field)

static void check_ready(void *object, const char *path, struct config_errors *errors)
{
    const struct ready_config *ready = object;
    const char *const keys[] = {"http", "tcp", "exec", "log"};
    const bool is_set[] = {ready->http != NULL, ready->tcp, ready->exec != NULL,
                           ready->log != NULL};
    const char *first = NULL;
    (void)path;

    if (ready->http && ready->http[0] != '/')
        config_errors_add_key(errors, "http", "\"%s\" does not begin with \"/\"", ready->http);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (is_set[i] && first)
            config_errors_add_key(errors, keys[i], "only one proof of readiness; \"%s\" is there",
                                  first);
        else if (is_set[i])
            first = keys[i];
    }
}

static const struct key ready_keys[] = {
    {"http", KEY_STRING, READY(http), .min = 1, .max = 1024, .flags = KEY_RESTART,
     .help = "A path: ready when GET on the process's port answers 2xx or 3xx."},
    {"tcp", KEY_BOOL, READY(tcp), .flags = KEY_RESTART,
     .help = "Ready when the process's port accepts a connection."},
    {"exec", KEY_STRING, READY(exec), .min = 1, .max = 4096, .flags = KEY_RESTART,
     .help = "Ready when this shell command exits 0."},
    {"log", KEY_STRING, READY(log), .min = 1, .max = 1024, .flags = KEY_RESTART,
     .help = "Ready when a line of stdout or stderr contains this text."},
    {"timeout", KEY_DURATION, READY(timeout_ms), .min = 1, .max = DAY_MS, .fallback = "30s",
     .help = "A process that is not ready by then has failed to start."},
    {"interval", KEY_DURATION, READY(interval_ms), .min = 1, .max = HOUR_MS, .fallback = "100ms",
     .help = "Between two tries of http, tcp and exec."},
    {0},
};

static const struct key_table ready_table = {
    .noun = "ready", .keys = ready_keys, .size = sizeof(struct ready_config), .check = check_ready};

static const struct key reload_keys[] = {
    {"parallel", KEY_INTEGER, RELOAD(parallel), .min = 1, .max = APP_INSTANCES_LIMIT,
     .fallback = "1", .help = "Slots that a reload rolls at the same time."},
    {"min_ready", KEY_DURATION, RELOAD(min_ready_ms), .min = 0, .max = HOUR_MS, .fallback = "0",
     .help = "How long a new process must stay ready before the old one drains."},
    {"drain_delay", KEY_DURATION, RELOAD(drain_delay_ms), .min = 0, .max = HOUR_MS, .fallback = "0",
     .help = "Between taking a process out of use and draining it, for balancers outside."},
    {"drain_timeout", KEY_DURATION, RELOAD(drain_timeout_ms), .min = 0, .max = DAY_MS,
     .fallback = "30s", .help = "How long requests in flight may take before the stop signal."},
    {0},
};

static const struct key_table reload_table = {
    .noun = "reload", .keys = reload_keys, .size = sizeof(struct reload_config)};

static const char *const on_exit_words[] = {"stop", "leave", NULL}; // in the order of app_on_exit

static const char *const nofile_aliases[] = {"nofile", NULL};
static const char *const nproc_aliases[] = {"nproc", NULL};
static const char *const core_aliases[] = {"core", NULL};
static const char *const kill_signal[] = {"kill_signal", NULL};

// What every kind of process has; the defaults in which they differ are the arguments.
#define PROCESS_ROWS(instances_default, max_restarts_default, kill_timeout_default)                \
    {"cwd",                                                                                        \
     KEY_STRING,                                                                                   \
     APP(cwd),                                                                                     \
     .min = 1,                                                                                     \
     .max = PATH_MAX - 1,                                                                          \
     .flags = KEY_RESTART,                                                                         \
     .help = "The working directory; without it the folder of the file."},                         \
        {"env", KEY_ENVIRONMENT, APP(env), .flags = KEY_RESTART,                                   \
         .help = "Variables for the processes, over those of the command that starts them."},      \
        {"instances",                                                                              \
         KEY_CUSTOM,                                                                               \
         APP(instances),                                                                           \
         .min = -APP_INSTANCES_LIMIT,                                                              \
         .max = APP_INSTANCES_LIMIT,                                                               \
         .fallback = instances_default,                                                            \
         .parse = parse_instances,                                                                 \
         .help = "How many processes; \"max\": one a CPU, -1: one less than CPUs."},               \
        {"instance_var",                                                                           \
         KEY_STRING,                                                                               \
         APP(instance_var),                                                                        \
         .min = 1,                                                                                 \
         .max = 255,                                                                               \
         .fallback = "NODE_APP_INSTANCE",                                                          \
         .flags = KEY_RESTART,                                                                     \
         .help = "The variable that holds the number of the instance, from 0."},                   \
        {"autorestart", KEY_BOOL, APP(autorestart), .fallback = "true",                            \
         .help = "Whether a process that ends is started again."},                                 \
        {"min_uptime",                                                                             \
         KEY_DURATION,                                                                             \
         APP(min_uptime_ms),                                                                       \
         .min = 0,                                                                                 \
         .max = DAY_MS,                                                                            \
         .fallback = "10s",                                                                        \
         .help = "A process that ends before this counts against max_restarts."},                  \
        {"max_restarts",                                                                           \
         KEY_INTEGER,                                                                              \
         APP(max_restarts),                                                                        \
         .min = -1,                                                                                \
         .max = 1000000,                                                                           \
         .fallback = max_restarts_default,                                                         \
         .help = "Early ends in a row until the app is errored; -1: no limit."},                   \
        {"restart_delay",                                                                          \
         KEY_DURATION,                                                                             \
         APP(restart_delay_ms),                                                                    \
         .min = 0,                                                                                 \
         .max = DAY_MS,                                                                            \
         .fallback = "0",                                                                          \
         .help = "A fixed wait before a restart; 0: the growing one."},                            \
        {"exp_backoff_restart_delay",                                                              \
         KEY_DURATION,                                                                             \
         APP(exp_backoff_restart_delay_ms),                                                        \
         .min = 0,                                                                                 \
         .max = DAY_MS,                                                                            \
         .fallback = "100ms",                                                                      \
         .help = "The first of the growing waits."},                                               \
        {"stop_signal",                                                                            \
         KEY_CUSTOM,                                                                               \
         APP(stop_signal),                                                                         \
         .fallback = "SIGTERM",                                                                    \
         .aliases = kill_signal,                                                                   \
         .parse = parse_signal,                                                                    \
         .help = "The signal that asks a process to end."},                                        \
        {"kill_timeout",                                                                           \
         KEY_DURATION,                                                                             \
         APP(kill_timeout_ms),                                                                     \
         .min = 0,                                                                                 \
         .max = DAY_MS,                                                                            \
         .fallback = kill_timeout_default,                                                         \
         .help = "From the stop signal to SIGKILL."},                                              \
        {"on_supervisor_exit",                                                                     \
         KEY_WORD,                                                                                 \
         APP(on_supervisor_exit),                                                                  \
         .words = on_exit_words,                                                                   \
         .fallback = "stop",                                                                       \
         .help = "Whether it stops or goes on when the supervisor gets SIGTERM."},                 \
        {"reload", KEY_OBJECT, APP(reload), .table = &reload_table,                                \
         .help = "How a rolling reload goes."},                                                    \
        {"out_file",                                                                               \
         KEY_STRING,                                                                               \
         APP(out_file),                                                                            \
         .min = 1,                                                                                 \
         .max = PATH_MAX - 1,                                                                      \
         .flags = KEY_RESTART,                                                                     \
         .help = "Where stdout goes; without it logs/NAME-out.log in the home."},                  \
        {"error_file",                                                                             \
         KEY_STRING,                                                                               \
         APP(error_file),                                                                          \
         .min = 1,                                                                                 \
         .max = PATH_MAX - 1,                                                                      \
         .flags = KEY_RESTART,                                                                     \
         .help = "Where stderr goes; without it logs/NAME-error.log."},                            \
        {"log_file",                                                                               \
         KEY_STRING,                                                                               \
         APP(log_file),                                                                            \
         .min = 1,                                                                                 \
         .max = PATH_MAX - 1,                                                                      \
         .flags = KEY_RESTART,                                                                     \
         .help = "A second file, for all that its processes write to stdout and stderr."},         \
        {"merge_logs",         KEY_BOOL,                                                           \
         APP(merge_logs),      .fallback = "false",                                                \
         .flags = KEY_RESTART, .help = "One file for all instances instead of one for each."},     \
        {"log_date_format",                                                                        \
         KEY_STRING,                                                                               \
         APP(log_date_format),                                                                     \
         .min = 1,                                                                                 \
         .max = 128,                                                                               \
         .flags = KEY_RESTART,                                                                     \
         .help = "What each line in the log begins with, such as \"YYYY-MM-DD HH:mm:ss.SSS Z\"."}, \
        {"log_type",                                                                               \
         KEY_WORD,                                                                                 \
         APP(log_type),                                                                            \
         .words = log_type_words,                                                                  \
         .fallback = "raw",                                                                        \
         .flags = KEY_RESTART,                                                                     \
         .help = "\"json\": each line in the log is a record of JSON."},                           \
        {"log_rotate",                                                                             \
         KEY_OBJECT,                                                                               \
         APP(log_rotate),                                                                          \
         .table = &log_rotate_config_table,                                                        \
         .flags = KEY_RESTART,                                                                     \
         .help = "When a new log file is begun and how long old ones are kept; false: never."},    \
        {"uid",                                                                                    \
         KEY_STRING,                                                                               \
         APP(uid),                                                                                 \
         .min = 1,                                                                                 \
         .max = 64,                                                                                \
         .flags = KEY_RESTART,                                                                     \
         .help = "The user, by name or number, that the processes run as."},                       \
        {"gid",                                                                                    \
         KEY_STRING,                                                                               \
         APP(gid),                                                                                 \
         .min = 1,                                                                                 \
         .max = 64,                                                                                \
         .flags = KEY_RESTART,                                                                     \
         .help = "The group, by name or number, that the processes run as."},                      \
        {"umask",                                                                                  \
         KEY_CUSTOM,                                                                               \
         APP(umask),                                                                               \
         .fallback = "null",                                                                       \
         .flags = KEY_RESTART,                                                                     \
         .parse = parse_umask,                                                                     \
         .help = "Octal, in a string; null: as the supervisor."},                                  \
        {"limit_nproc",                                                                            \
         KEY_INTEGER,                                                                              \
         APP(limit_nproc),                                                                         \
         .min = 0,                                                                                 \
         .max = 1 << 30,                                                                           \
         .fallback = "0",                                                                          \
         .flags = KEY_RESTART,                                                                     \
         .aliases = nproc_aliases,                                                                 \
         .help = "How many processes its user may have; 0: as the supervisor."},                   \
        {"limit_core",                                                                             \
         KEY_CUSTOM,                                                                               \
         APP(limit_core),                                                                          \
         .fallback = "null",                                                                       \
         .flags = KEY_RESTART,                                                                     \
         .aliases = core_aliases,                                                                  \
         .parse = parse_core,                                                                      \
         .help = "Bytes of a core dump, \"unlimited\", or null: as the supervisor."},              \
        {"nice",                                                                                   \
         KEY_INTEGER,                                                                              \
         APP(nice),                                                                                \
         .min = -20,                                                                               \
         .max = 19,                                                                                \
         .fallback = "0",                                                                          \
         .flags = KEY_RESTART,                                                                     \
         .help = "Added to the niceness of the supervisor; less than 0 needs root."},              \
        {"oom_score_adj",                                                                          \
         KEY_CUSTOM,                                                                               \
         APP(oom_score_adj),                                                                       \
         .fallback = "null",                                                                       \
         .flags = KEY_RESTART,                                                                     \
         .parse = parse_oom,                                                                       \
         .help = "-1000 to 1000: whom the kernel kills first without memory; null: as we."},       \
        {"cpu",                                                                                    \
         KEY_CUSTOM,                                                                               \
         APP(cpu),                                                                                 \
         .flags = KEY_RESTART,                                                                     \
         .parse = parse_cpu,                                                                       \
         .clear = clear_text,                                                                      \
         .help = "The CPUs that it may use, such as \"0-3,6\"; without it as the supervisor."},    \
    {                                                                                              \
        "limit_nofile", KEY_INTEGER, APP(limit_nofile),                                            \
            .min = 0, .max = 1 << 30, .fallback = "0", .flags = KEY_RESTART,                       \
            .aliases = nofile_aliases,                                                             \
            .help = "How many files a process may open; 0: as the supervisor."                     \
    }

static const char *const script_aliases[] = {"exec", "cmd", NULL};
static const char *const interpreter_aliases[] = {"exec_interpreter", NULL};
static const char *const interpreter_args_aliases[] = {"node_args", NULL};

static const struct key app_keys[] = {
    {"name", KEY_CUSTOM, APP(name), .min = 1, .max = NAME_LIMIT, .flags = KEY_REQUIRED,
     .parse = parse_name, .clear = clear_text,
     .help = "What the app is called in commands and lists."},
    {"script", KEY_STRING, APP(script), .min = 1, .max = PATH_MAX - 1,
     .flags = KEY_REQUIRED | KEY_RESTART, .aliases = script_aliases,
     .help = "The program: a path, or a name to find in PATH."},
    {"args", KEY_STRINGS, APP(args), .flags = KEY_RESTART, .help = "Its arguments."},
    {"interpreter", KEY_STRING, APP(interpreter), .min = 1, .max = PATH_MAX - 1,
     .flags = KEY_RESTART, .aliases = interpreter_aliases,
     .help = "What runs the script; \"none\": itself; without it by extension and first line."},
    {"interpreter_args", KEY_STRINGS, APP(interpreter_args), .flags = KEY_RESTART,
     .aliases = interpreter_args_aliases, .help = "Arguments of the interpreter."},
    {"port", KEY_CUSTOM, APP(port), .min = 1, .max = 65535, .flags = KEY_RESTART,
     .parse = parse_port,
     .help = "In $PORT; \"auto\": each process its own, chosen by the supervisor."},
    {"wait_ready", KEY_BOOL, APP(wait_ready), .fallback = "false", .flags = KEY_RESTART,
     .help = "Whether only its own word counts: READY=1, or process.send('ready') of Node."},
    {"ready", KEY_OBJECT, APP(ready), .table = &ready_table, .flags = KEY_RESTART,
     .help = "How to find out when a process is ready."},
    {"no_new_privileges", KEY_BOOL, APP(no_new_privileges), .fallback = "false",
     .flags = KEY_RESTART,
     .help = "Whether nothing that it executes gives it more rights (setuid programs)."},
    {"max_memory_restart", KEY_SIZE, APP(max_memory_restart_bytes), .min = 0, .max = MEMORY_MAX,
     .fallback = "0", .help = "A process with more memory of its own is reloaded; 0: no cap."},
    {"max_memory_kill", KEY_SIZE, APP(max_memory_kill_bytes), .min = 0, .max = MEMORY_MAX,
     .fallback = "0",
     .help = "One with more is killed; 0: at one and a half of max_memory_restart."},
    {"health", KEY_OBJECT, APP(health), .table = &health_config_table, .flags = KEY_RESTART,
     .help = "How to see whether a process still works; one that does not is restarted."},
    {"watchdog", KEY_DURATION, APP(watchdog_ms), .min = 0, .max = DAY_MS, .fallback = "0",
     .flags = KEY_RESTART,
     .help = "It is restarted when it has not sent WATCHDOG=1 for so long; 0: never."},
    {"stop_exit_codes", KEY_CUSTOM, APP(stop_exits), .parse = parse_stop_exits,
     .help = "Exit codes and signals after which a process is not started again."},
    PROCESS_ROWS("1", "10", "5s"),
    {0},
};

// Only the supervisor knows how many "max" is; more than one somewhere is wrong already.
static void check_port(const struct app_config *app, struct config_errors *errors)
{
    if (app->port <= 0 || app->instances == 1)
        return;
    if (app->instances > 1)
        config_errors_add_key(errors, "port",
                              "%lld processes cannot listen on one port; use \"auto\"",
                              (long long)app->instances);
    else
        config_errors_add_key(errors, "port",
                              "several processes cannot listen on one port; use \"auto\"");
}

static void check_app(void *object, const char *path, struct config_errors *errors)
{
    const struct app_config *app = object;
    (void)path;
    if (app->port == APP_PORT_NONE && app->ready.http)
        config_errors_add_key(errors, "ready.http", "needs the key \"port\"");
    if (app->port == APP_PORT_NONE && app->ready.tcp)
        config_errors_add_key(errors, "ready.tcp", "needs the key \"port\"");
    if (app->max_memory_kill_bytes > 0 &&
        app->max_memory_kill_bytes <= app->max_memory_restart_bytes)
        config_errors_add_key(errors, "max_memory_kill", "is not more than max_memory_restart");
    if (app->port == APP_PORT_NONE && (app->health.http || app->health.tcp))
        config_errors_add_key(errors, app->health.http ? "health.http" : "health.tcp",
                              "needs the key \"port\"");
    check_port(app, errors);
}

const struct key_table app_config_table = {
    .noun = "app", .keys = app_keys, .size = sizeof(struct app_config), .check = check_app};

const struct key app_config_gateway_keys[] = {
    PROCESS_ROWS("max", "-1", "30s"),
    {0},
};

const struct key app_config_sidecar_keys[] = {
    PROCESS_ROWS("1", "-1", "5s"),
    {0},
};

void app_config_says_ready(struct app_config *process)
{
    process->wait_ready = true;
    process->ready.timeout_ms = READY_TIMEOUT_MS;
    process->ready.interval_ms = READY_INTERVAL_MS;
}

int app_config_instances(int64_t instances, int cpus)
{
    int64_t count = instances > 0 ? instances : cpus + instances;
    return (int)(count < 1 ? 1 : count > APP_INSTANCES_LIMIT ? APP_INSTANCES_LIMIT : count);
}
