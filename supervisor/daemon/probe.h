// One try to see whether a process can do its work: an HTTP request, a TCP connection or a command.
// Trying again is the caller's business.
#ifndef GW_SUPERVISOR_PROBE_H
#define GW_SUPERVISOR_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum probe_kind { PROBE_HTTP, PROBE_TCP, PROBE_EXEC };

// Borrowed until probe_start returns.
struct probe_options {
    enum probe_kind kind;
    const char *host; // http, tcp: a numeric address
    int port;
    const char *path;    // http: "/healthz"
    const char *command; // exec: given to /bin/sh -c, in a session of its own
    char **env;          // exec: NULL-terminated "NAME=value"; NULL: ours
    const char *cwd;     // exec: NULL: ours
    uint64_t
        timeout_ms; // no verdict by then is a failure; a command is killed with all its children
};

struct probe;

// The verdict; called once, from the loop, never before probe_start has returned. The probe is gone
// then. `reason` is NULL when ok, else "HTTP 503", "connection refused", "timeout", "exited 1" ...
typedef void (*probe_fn)(void *context, bool ok, const char *reason);

// Never NULL: what cannot even be tried fails by its callback.
struct probe *probe_start(uv_loop_t *loop, const struct probe_options *options, probe_fn on_done,
                          void *context);

// No callback comes; a command is killed. NULL is allowed.
void probe_cancel(struct probe *probe);

#endif
