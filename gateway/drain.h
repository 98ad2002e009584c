// When a worker that was told to end does what. Pure: the time is a parameter.
#ifndef GW_GATEWAY_DRAIN_H
#define GW_GATEWAY_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DRAIN_IDLE_MS = 2000,   // a client that uses its connection more often hears `close` in answer
    DRAIN_RESERVE_MS = 500, // before the supervisor's SIGKILL
    DRAIN_BREAK_MS = 300    // from breaking connections off to leaving, whatever is left
};

enum drain_state {
    DRAIN_NONE,     // the worker serves
    DRAIN_WAITING,  // no new connections; those that are there end one by one
    DRAIN_BREAKING, // what was left is being broken off
    DRAIN_OVER,     // leave
};

struct drain {
    enum drain_state state;
    uint64_t began_ms;
    uint64_t deadline_ms; // WAITING: then break off; BREAKING: then leave
};

// The order to end came: the first time it begins the drain, the second time it shortens it.
// kill_timeout_ms: when the supervisor will kill us.
void drain_order(struct drain *drain, uint64_t now_ms, int64_t kill_timeout_ms);

// Time has passed, or a connection has gone. Returns true when the state changed.
bool drain_step(struct drain *drain, uint64_t now_ms, size_t connections);

// Is a connection that is idle since then to be closed?
bool drain_ends_idle(const struct drain *drain, uint64_t now_ms, uint64_t idle_since_ms);

#endif
