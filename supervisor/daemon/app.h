// An app: its slots, and in each the worker that serves, the one a reload brings in, and the one it
// takes out.
#ifndef GW_SUPERVISOR_APP_H
#define GW_SUPERVISOR_APP_H

#include "exit_history.h"
#include "worker.h"

struct daemon;
struct reload;

struct slot_socket {
    int fd;
    char *address; // as it stands in the file
};

struct slot {
    unsigned index; // NODE_APP_INSTANCE
    unsigned id;    // in `gwctl list`
    struct worker *current;
    struct worker *incoming; // a reload's new process
    struct worker *outgoing; // a reload's old process
    struct restart_history history;
    struct exit_history exits;
    unsigned restarts;
    unsigned restarts_by[RESTART_REASONS]; // they sum up to it, but for those of earlier versions
    uint64_t log_lines_lost;               // that no log file took, of all its processes
    uint64_t created_wall_ms;
    struct slot_socket *sockets; // gateway: one a listener; NULL: none
    size_t socket_count;
    uint64_t memory_tried_ms; // when it was last reloaded for its memory; 0: never
    bool retiring;            // scale down: freed when its worker has ended
    // The neighbour rule (guard.c): the slot whose worker accepts on our sockets, or NULL.
    struct slot *taken_by;
    pid_t taken_by_pid; // its process then: a later one knows nothing of it
    uint64_t taken_since_ms;
    uint64_t unready_since_ms; // 0: its worker accepts
    uint64_t hung_since_ms;    // 0: it accepts, or is not online
};

struct app {
    struct daemon *daemon;
    struct app *next;
    char *name;
    char *file; // the ecosystem file it came from, for messages; "" when none
    struct spec *spec;
    struct slot **slots;
    size_t slot_count;
    struct reload *reload; // while one is under way
    bool deleting;         // forgotten when its last worker has ended
};

// A new app with its slots, all STOPPED; not yet in the daemon's list. The spec gets a reference,
// file is copied.
struct app *app_new(struct daemon *daemon, struct spec *spec, const char *file);
void app_free(struct app *app); // no processes may be left

bool app_is_gateway(const struct app *app);

// A successor can run beside its predecessor: own ports, inherited sockets, or a gateway.
bool app_can_roll(const struct app *app);

// Starts what does not run. Slots that are on
// their way out stay so, here and in a restart.
void app_start(struct app *app);
void app_start_slot(struct slot *slot);
// It gets a process in place of the one it had.
void app_count_restart(struct slot *slot, enum restart_reason reason);
void app_stop(struct app *app);
void app_restart(struct app *app);

// From now on this spec; running workers keep theirs.
void app_set_spec(struct app *app, struct spec *spec);

// How many slots the spec asks for on this machine.
size_t app_wanted_slots(const struct spec *spec);

// Grows (new slots start) or shrinks (the highest slots drain, stop and go). -1 while a reload or
// another scaling is under way.
int app_scale(struct app *app, size_t count, struct err *err) GW_MUST_USE;

// Slots are on their way out.
bool app_is_shrinking(const struct app *app);

// Before anything runs in it: so many slots.
void app_resize_stopped(struct app *app, size_t count);

// Removes the highest slots that are retiring, have no process, and (gateway) an empty queue.
void app_remove_retired(struct app *app);

// No process is alive or waiting for its restart.
bool app_is_settled(struct app *app);

// Every process of the app, incoming and outgoing ones included: calls visit for each worker.
void app_each_worker(struct app *app, void (*visit)(struct worker *worker, void *context),
                     void *context);

// Frees what has served its time: leftovers of a reload, retired slots, sockets of a stopped
// gateway. To be called from the loop
// only, where nobody is in the middle of a worker or slot.
void app_sweep(struct app *app);

// Called by worker.c after each transition. May free the worker.
void app_worker_changed(struct worker *worker);

#endif
