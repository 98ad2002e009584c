// The supervisor's end of the keeper: file descriptors that survive us by name, and the exits of
// processes that a supervisor before us has started. Packets: common/proto.h.
//
// Without a keeper (no fd named "keeper" was inherited) everything here is allowed and does
// nothing.
#ifndef GW_SUPERVISOR_KEEPER_LINK_H
#define GW_SUPERVISOR_KEEPER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "common/err.h"

struct keeper_link;

// Called from the loop, with the context of keeper_link_open.
struct keeper_link_events {
    // A process that is not our child has ended and was reaped; status as waitpid(2) gives it.
    void (*on_exit)(void *context, pid_t pid, int status);
    // The keeper has died. From now on store and remove do nothing.
    void (*on_lost)(void *context);
};

// Collects the inherited fds (LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID must be ours), makes them
// close-on-exec and removes LISTEN_* from the environment. Call it once, before anything opens fds.
// `events` and `context` are borrowed for the life of the link. NULL with err: what we inherited
// makes no sense.
struct keeper_link *keeper_link_open(uv_loop_t *loop, const struct keeper_link_events *events,
                                     void *context, struct err *err) GW_MUST_USE;

// Closes our end and every inherited fd that nobody took. What the keeper holds stays there. NULL
// is allowed. The memory goes in the loop's close callback.
void keeper_link_close(struct keeper_link *link);

// Waits until the keeper was sent all that it is to hold, but not for a keeper that does not read.
// For the last moment before the exit of a supervisor that leaves.
void keeper_link_finish(struct keeper_link *link);

// A keeper is there.
bool keeper_link_connected(const struct keeper_link *link);

// The inherited fd of that name, or -1; the caller owns it from now on. A second call gives -1.
int keeper_link_take(struct keeper_link *link, const char *name);

// The names, beginning with `prefix`, of inherited fds that were not taken yet: start with
// *cursor = 0; NULL at the end. Taking them while iterating is allowed. Borrowed; valid until
// close.
const char *keeper_link_next(const struct keeper_link *link, const char *prefix, size_t *cursor);

// Inherited fds that nobody took are closed, here and in the keeper: nobody knows them any more.
void keeper_link_discard_rest(struct keeper_link *link);

// The keeper keeps a duplicate of fd (borrowed) under that name; one of the same name is replaced.
// Never blocks: what the socket does not take now is sent later. -1: the name is no name for an fd
// (1..KEEPER_NAME_MAX printable characters without ':'), or the fd is bad.
int keeper_link_store(struct keeper_link *link, const char *name, int fd,
                      struct err *err) GW_MUST_USE;

// The keeper has died: becomes a keeper itself, with every fd stored so far, which then starts a
// new supervisor (gw-keeper --adopt -- supervisor). Stored fds must still be open here under the
// numbers they were stored with. Returns only when that failed.
int keeper_link_become_keeper(struct keeper_link *link, const char *keeper, const char *supervisor,
                              struct err *err) GW_MUST_USE;

// The keeper ends this process, once it has done all that was asked before, and starts the programs
// that are on disk by then: a keeper in its own place, and a new supervisor. -1: there is no
// keeper.
int keeper_link_update(struct keeper_link *link, struct err *err) GW_MUST_USE;

// The keeper closes what it holds under that name, if anything.
void keeper_link_remove(struct keeper_link *link, const char *name);

#endif
