// What `list` answers: the shape of `pm2 jlist`, with our own facts under "gwctl".
#ifndef GW_SUPERVISOR_LISTING_H
#define GW_SUPERVISOR_LISTING_H

#include <json-c/json.h>

#include "daemon.h"

// {"processes": [...]}; the caller owns it. Secrets in environments are masked.
struct json_object *listing_build(struct daemon *daemon);

// PM2's word for a state, as lists show it; ours has more of them.
const char *listing_status(enum worker_state state);

// A slot's restarts by reason: {"crash": 2, ...}; the caller owns it.
struct json_object *listing_restarts(const struct slot *slot);

#endif
