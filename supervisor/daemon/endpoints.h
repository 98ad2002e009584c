// Which processes of which app may get requests: the sets that gateway workers pick from.
//
// A set is derived, never stored: all workers of an app that are `serving`. Every change is one new
// generation, pushed whole to every registered gateway worker, which acknowledges it. Each hears of
// the upstreams of its own settings: while a reload is under way there are two of them.
#ifndef GW_SUPERVISOR_ENDPOINTS_H
#define GW_SUPERVISOR_ENDPOINTS_H

#include <json-c/json.h>

#include "daemon.h"

struct endpoints;
struct control_connection;

struct endpoints *endpoints_new(struct daemon *daemon);
void endpoints_free(struct endpoints *endpoints);

// {"generation": n, "upstreams": {...}} of now, for this worker; the caller owns it. One that is no
// gateway worker hears what holds for the gateway.
struct json_object *endpoints_current(const struct endpoints *endpoints,
                                      const struct worker *worker);

// Pushes a new generation when the sets differ from the last one. Returns the generation in force.
uint64_t endpoints_push(struct endpoints *endpoints);

// The generation in force; and, after a restart, the last one of the supervisor before.
uint64_t endpoints_generation(const struct endpoints *endpoints);
void endpoints_resume(struct endpoints *endpoints, uint64_t generation);

// Every gateway worker that has been ready has acknowledged this generation or a later one.
bool endpoints_acknowledged(const struct endpoints *endpoints, uint64_t generation);

// SIGKILL to the gateway workers that have not: they may still send to what is about to end.
void endpoints_kill_silent(const struct endpoints *endpoints, uint64_t generation);

// A free index of the state page's endpoint columns; WORKER_NO_ENDPOINT when there is none. Freed
// ones are used again as late as possible.
int endpoints_take_index(struct endpoints *endpoints);
// One that a process of an earlier supervisor has.
void endpoints_reserve_index(struct endpoints *endpoints, int index);
void endpoints_free_index(struct endpoints *endpoints, int index);

#endif
