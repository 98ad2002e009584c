// The supervisor as a whole: what its modules share, and the events that concern more than one.
#ifndef GW_SUPERVISOR_DAEMON_H
#define GW_SUPERVISOR_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "app.h"
#include "cache_page.h"
#include "common/state_page.h"
#include "metrics_memory.h"

struct control;
struct endpoints;
struct events;
struct guard;
struct keeper_link;
struct memory_watch;
struct metricsd_feed;
struct notify_socket;
struct operations;
struct port_pool;
struct update;

struct daemon {
    uv_loop_t *loop;
    struct app *apps; // in the order they were first started
    unsigned next_id;
    char *programs; // the folder of our own programs
    struct state_page *page;
    int page_fd;
    bool columns_used[STATE_COLUMNS];
    struct cache_page cache;
    struct metrics_memory metrics;
    struct keeper_link *keeper;
    struct notify_socket *notify;
    struct port_pool *ports;
    struct control *control;
    struct endpoints *endpoints;
    struct guard *guard;
    struct memory_watch *memory_watch;
    struct metricsd_feed *feed;
    struct events *events;
    struct operations *operations;
    struct update *update; // under way; NULL: none
    size_t abandoned;      // processes that were ended when we started (common/abandoned.h)
    int lock_fd;
    int control_fd;  // of the listening socket; control.c owns it
    int snapshot_fd; // the last one written; -1: none
    bool changed;    // something, since the last turn of the loop
    uv_prepare_t before_waiting;
    uv_signal_t sigterm, sigint, sigusr2;
    uv_timer_t soon;   // then something counts as changed
    uv_timer_t closer; // lets the last answers out
    bool ending;       // the loop ends with the last process (ending.h)
    bool leaving;      // and those of apps that say so are not waited for
};

// Builds the daemon on the loop: home, lock, control socket. -1 with err; *final: a restart would
// not help (another supervisor holds the home).
int daemon_open(struct daemon *daemon, uv_loop_t *loop, bool *final, struct err *err) GW_MUST_USE;
void daemon_close(struct daemon *daemon);

struct app *daemon_find_app(const struct daemon *daemon, const char *name);
void daemon_add_app(struct daemon *daemon, struct app *app);
void daemon_forget_app(struct daemon *daemon, struct app *app); // frees it

// Opens the memory and the socket of a sidecar, as far as they are not open; of others nothing.
int daemon_open_sidecar(struct daemon *daemon, const struct spec *spec,
                        struct err *err) GW_MUST_USE;

// The gateway app, or NULL.
struct app *daemon_gateway(const struct daemon *daemon);

struct worker *daemon_find_pid(const struct daemon *daemon, pid_t pid);

// A free column of the state page, zeroed; WORKER_NO_COLUMN when there is none.
int daemon_take_column(struct daemon *daemon);

// A worker's process has ended: column, port, endpoint and link are free again.
void daemon_worker_gone(struct worker *worker);

// A number has changed that changes often: it is written and told within a second, not each time.
void daemon_change_soon(struct daemon *daemon);

#endif
