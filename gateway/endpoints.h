// The upstreams of the configuration and the endpoints that each has right now: its `servers`, or
// the processes of a supervised app as the supervisor pushes them.
//
// An endpoint is shared by the set that lists it and by the exchanges that use it. One that a push
// removes is picked no more from that moment; it lives on until its last exchange has ended, and so
// does its count in the state page, by which the supervisor knows when its process may stop.
#ifndef GW_GATEWAY_ENDPOINTS_H
#define GW_GATEWAY_ENDPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "balance.h"
#include "common/err.h"
#include "metrics.h"

struct gateway_config;
struct json_object;
struct state_column;
struct upstream_config;
struct upstream_conn;

// The index of an endpoint that the supervisor does not count: a server of the file.
#define ENDPOINT_UNCOUNTED SIZE_MAX

enum { ENDPOINT_AVOID_MS = 1000 };

struct endpoint {
    char *name;    // for the log
    char *address; // "127.0.0.1:20001", "unix:/run/app.sock"
    size_t index;  // its cell in the state page, or ENDPOINT_UNCOUNTED
    struct sockaddr_storage socket_address;
    socklen_t socket_address_length;
    const struct upstream_config *config;
    unsigned uses; // exchanges that picked it and have not ended
    bool removed;  // in no set any more
    uint64_t avoid_until_ms;
    struct metrics_endpoint metrics;

    // Idle connections; pool.c's.
    struct upstream_conn *newest, *oldest;
    size_t idle_count;
};

struct upstream {
    const struct upstream_config *config;
    size_t index; // in the configuration, or UPSTREAM_OWN
    struct endpoint **endpoints;
    size_t count;
    size_t next;             // of the round robin
    uint64_t avoid_until_ms; // the latest of its endpoints'
};

struct upstreams {
    struct upstream *items; // in the order of the configuration
    size_t count;
    uint64_t generation;         // of the last push; 0: none yet
    struct state_column *column; // where uses are counted
    void (*on_removed)(struct endpoint *endpoint, void *context);
    void *context;
};

// One upstream for each of config's (borrowed), with its `servers`. on_removed is called for an
// endpoint that left its set, while it is still valid: its idle connections are to be closed.
// On failure nothing is left to free.
int upstreams_init(struct upstreams *upstreams, const struct gateway_config *config,
                   struct state_column *column,
                   void (*on_removed)(struct endpoint *endpoint, void *context), void *context,
                   struct err *err) GW_MUST_USE;

// All endpoints must be out of use.
void upstreams_fini(struct upstreams *upstreams);

// The same for one upstream: of the configuration's, or UPSTREAM_OWN. Closing it is told as the
// removal of its endpoints. After a failure there is something to close too.
int upstream_open(struct upstream *upstream, const struct upstream_config *config, size_t index,
                  struct err *err) GW_MUST_USE;
void upstream_close(struct upstream *upstream, const struct upstreams *upstreams);

// Replaces the sets of all supervised apps by those of a push,
// {generation, upstreams: {"api": [{name, address, index}]}}: an app that is not in it has none.
// Endpoints that stay keep their connections. Either everything is taken or, with -1, nothing.
int upstreams_push(struct upstreams *upstreams, struct json_object *args,
                   struct err *err) GW_MUST_USE;

// The next endpoint that is not among `tried` (positions in the set of this generation), which it
// joins; one that is to be avoided only when there is no other. NULL when there is none.
struct endpoint *upstream_pick(struct upstream *upstream, struct balance_mask *tried,
                               uint64_t now_ms);

// The endpoint could not be connected to: it is avoided for ENDPOINT_AVOID_MS / could be after all.
void endpoint_avoid(struct upstream *upstream, struct endpoint *endpoint, uint64_t now_ms);
void endpoint_welcome(struct endpoint *endpoint);

// An exchange picked the endpoint / has ended. After the latter the endpoint may be gone.
void endpoint_begin(const struct upstreams *upstreams, struct endpoint *endpoint);
void endpoint_end(const struct upstreams *upstreams, struct endpoint *endpoint);

#endif
