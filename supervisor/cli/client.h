// gwctl's end of control.sock: one request, its progress, its answer. Blocking.
#ifndef GW_CLI_CLIENT_H
#define GW_CLI_CLIENT_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/err.h"

struct client;

// A supervisor answers at home_path(HOME_CONTROL). NULL with err; *absent: there is none.
struct client *client_connect(bool *absent, struct err *err) GW_MUST_USE;
void client_close(struct client *client); // NULL is allowed

// Sends {"cmd": command, "args": args} (args is taken, may be NULL), prints progress lines to
// stdout as they come, and returns the answer (json_object_put). NULL with the error of the answer,
// or with that of the connection.
struct json_object *client_request(struct client *client, const char *command,
                                   struct json_object *args, struct err *err) GW_MUST_USE;

// Returns when the supervisor has closed the connection.
void client_wait_end(struct client *client);

#endif
