// What an ecosystem file says about one app. The same struct serves the reserved app `gateway`,
// whose process keys are these too.
#ifndef GW_COMMON_APP_CONFIG_H
#define GW_COMMON_APP_CONFIG_H

#include "common/exit_set.h"
#include "common/health_config.h"
#include "common/keytable.h"
#include "common/log_config.h"

// `port`: none, a number, or "auto": each process its own, chosen by the supervisor.
enum { APP_PORT_NONE = 0, APP_PORT_AUTO = -1 };

// `limit_core` and `oom_score_adj`: as the supervisor.
enum { APP_CORE_INHERIT = -1, APP_OOM_LIMIT = 1000, APP_OOM_INHERIT = APP_OOM_LIMIT + 1 };
#define APP_CORE_UNLIMITED INT64_MAX

// `on_supervisor_exit`, what SIGTERM to the supervisor means for the app.
enum app_on_exit { APP_STOP, APP_LEAVE };

// `instances: "max"` or 0: one a CPU. Negative n: CPUs - n, at least 1.
enum { APP_INSTANCES_MAX = 0, APP_INSTANCES_LIMIT = 256 };

// The explicit proof of readiness. At most one of http, tcp, exec, log is set.
struct ready_config {
    char *http;          // a path, e.g. "/healthz": GET answers 2xx or 3xx at HOST:PORT
    bool tcp;            // HOST:PORT accepts a connection
    char *exec;          // a shell command exits 0
    char *log;           // a line of stdout or stderr contains this text
    int64_t timeout_ms;  // not ready by then: the start failed
    int64_t interval_ms; // between two tries of http, tcp, exec
};

struct reload_config {
    int64_t parallel;         // slots rolled at the same time
    int64_t min_ready_ms;     // how long a new process must stay ready before the old one drains
    int64_t drain_delay_ms;   // wait between "no more picks" and the drain, for outer balancers
    int64_t drain_timeout_ms; // how long in-flight requests may take before the stop signal comes
};

struct app_config {
    char *name;
    char *script; // absolute after ecosystem_load; NULL for `gateway`
    struct key_strings args;
    char *interpreter; // NULL: by extension and shebang; "none": execute the script
    struct key_strings interpreter_args;
    char *cwd;              // absolute after ecosystem_load
    struct key_strings env; // "NAME=value"
    int64_t instances;      // see APP_INSTANCES_MAX
    int64_t port;           // see APP_PORT_AUTO
    char *instance_var;     // NODE_APP_INSTANCE
    bool autorestart;
    int64_t min_uptime_ms;
    int64_t max_restarts;       // exits in a row before min_uptime; -1: no limit (gateway)
    struct exit_set stop_exits; // after one of these it is not restarted
    int64_t restart_delay_ms;   // 0: none, backoff decides
    int64_t exp_backoff_restart_delay_ms; // the first backoff delay
    int stop_signal;                      // a signal number
    int64_t kill_timeout_ms;              // stop signal to SIGKILL
    int on_supervisor_exit;               // enum app_on_exit
    bool wait_ready;                      // only READY=1 or process.send('ready') counts
    struct ready_config ready;
    struct health_config health;
    int64_t watchdog_ms; // how often it has to say WATCHDOG=1; 0: never
    struct reload_config reload;
    char *out_file; // NULL: logs/<name>-out[-id].log
    char *error_file;
    char *log_file;  // of both streams; NULL: none
    bool merge_logs; // one file for all instances
    struct log_rotate_config log_rotate;
    char *log_date_format; // NULL: none
    int log_type;          // enum log_type
    char *uid;             // name or number; NULL: as the supervisor
    char *gid;
    int64_t umask;                    // -1: as the supervisor
    int64_t max_memory_restart_bytes; // 0: no cap
    int64_t max_memory_kill_bytes;    // 0: one and a half of that
    int64_t limit_nofile;             // RLIMIT_NOFILE; 0: as the supervisor
    int64_t limit_nproc;              // RLIMIT_NPROC; 0: as the supervisor
    int64_t limit_core;               // RLIMIT_CORE in bytes, or APP_CORE_*
    int64_t nice;                     // added to the supervisor's
    int64_t oom_score_adj;            // or APP_OOM_INHERIT
    char *cpu;                        // the CPUs it may use (cpu_list.h); NULL: as the supervisor
    bool no_new_privileges;
};

extern const struct key_table app_config_table;

// The same keys with the defaults of the gateway (never errored, backoff <= 1 s, kill_timeout 30
// s), without name, script, args, interpreter, port, ready, wait_ready.
extern const struct key app_config_gateway_keys[];

// The same keys with the defaults of a sidecar: one process, never errored.
extern const struct key app_config_sidecar_keys[];

// For our own programs, which have no keys for that: they say themselves when they are ready.
void app_config_says_ready(struct app_config *process);

// The number of processes that `instances` means on a machine with `cpus` CPUs; 1..LIMIT.
int app_config_instances(int64_t instances, int cpus);

#endif
