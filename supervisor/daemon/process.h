// One child process: spawned through gw-exec, its output captured, its end reported once.
// Which process runs when is worker.c's business.
#ifndef GW_SUPERVISOR_PROCESS_H
#define GW_SUPERVISOR_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "common/app_config.h"
#include "common/err.h"

struct log_format;
struct log_rotate_config;

enum {
    PROCESS_FDS_MAX = 17,
    PROCESS_STATUS_UNKNOWN = -1 // it ended and nobody saw how
};

enum process_stream { PROCESS_OUT, PROCESS_ERROR, PROCESS_NODE_CHANNEL, PROCESS_STREAMS };

// A socket or page handed down, by its name in LISTEN_FDNAMES.
struct process_fd {
    int fd; // borrowed
    char name[32];
};

// As they stand in an app's settings (common/app_config.h).
struct process_limits {
    int64_t umask, nofile, nproc, core, nice, oom_score_adj;
    int64_t nofile_soft; // where nofile says nothing; 0: as the supervisor has it
    const char *cpu;     // NULL: all
};

// Everything borrowed until process_start returns.
struct process_options {
    const char *launcher; // the path of gw-exec
    const char *label;    // "api#2", for the log
    char **args;          // the program and its arguments, NULL-terminated
    char **env;           // NULL-terminated "NAME=value"; LISTEN_* are added here
    const char *cwd;
    const char *out_path; // NULL: not kept
    const char *error_path;
    const char *combined_path;                // of both streams; NULL: none
    const struct log_rotate_config *rotation; // of all; NULL: never
    const struct log_format *format;          // of both, but for `error`
    const struct process_fd *fds;
    size_t fd_count;
    bool node_channel;     // give it a NODE_CHANNEL_FD (node_ipc.h)
    const char *uid, *gid; // NULL: as the supervisor
    struct process_limits limits;
    bool no_new_privileges;
};

struct process;

struct process_events {
    // Its streams are open (process_stream_fd), and it is about to be started.
    void (*on_opened)(void *context, const struct process *process);
    // The program runs. Not called when it could not be executed: its exit follows.
    void (*on_executed)(void *context);
    // A whole line of stdout or stderr, without its newline.
    void (*on_line)(void *context, const char *line, size_t length);
    // So many more lines that its log files did not take.
    void (*on_lost)(void *context, uint64_t lines);
    // Through the node channel: process.send('ready').
    void (*on_node_ready)(void *context);
    // It ended; status as waitpid(2) gives it, or PROCESS_STATUS_UNKNOWN. All its output was taken.
    // The process object must not be used after this call returned.
    void (*on_exit)(void *context, int status);
};

// A pid can be used again; with its start (procinfo.h) it names one process for ever.
struct process_identity {
    pid_t pid;
    uint64_t start_ticks;
};

// NULL with err when not even gw-exec could be started.
struct process *process_start(uv_loop_t *loop, const struct process_options *options,
                              const struct process_events *events, void *context,
                              struct err *err) GW_MUST_USE;

// A process that an earlier supervisor started and that still runs, or has ended meanwhile: the
// keeper reports that (process_reaped), or else on_exit comes with PROCESS_STATUS_UNKNOWN. The fds,
// in the order of enum process_stream, are taken; -1: that stream has ended. Only label,
// the paths, rotation and format of the options count. NULL with err: its logs cannot be
// opened.
struct process *process_adopt(uv_loop_t *loop, struct process_identity identity,
                              const int fds[PROCESS_STREAMS], const struct process_options *options,
                              const struct process_events *events, void *context,
                              struct err *err) GW_MUST_USE;

// An adopted process has ended: calls on_exit with this status.
void process_reaped(struct process *process, int status);

// It was taken over with process_adopt.
bool process_is_adopted(const struct process *process);

// Our end of a stream, to store it in the keeper; -1 when there is none or it has ended.
int process_stream_fd(const struct process *process, enum process_stream stream);

// Before the supervisor leaves it running: its logs hold all that was read of it.
void process_put_down(struct process *process);

struct process_identity process_identity(const struct process *process);

// Why it could not be executed; NULL when it was (or nothing is known yet).
const char *process_start_error(const struct process *process);

// The last line it wrote to stderr, or to stdout when there is none; "" when there is none.
const char *process_last_line(const struct process *process);

// The last lines of the same stream, the oldest first, a newline between them; as many as there are
// and fit.
void process_last_lines(const struct process *process, char *out, size_t size);

// To its process group.
void process_signal(struct process *process, int signal);

#endif
