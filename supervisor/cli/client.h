// gwctl's end of control.sock: one request, its progress, its answer. Blocking.
#ifndef GW_CLI_CLIENT_H
#define GW_CLI_CLIENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct client;

// A supervisor answers at home_path(HOME_CONTROL). NULL with err; *absent: there is none.
struct client *client_connect(bool *absent, struct err *err) GW_MUST_USE;
// The same of a supervisor that is to come: it takes over what one before it has left running.
// *absent: nothing was left.
struct client *client_connect_left(bool *absent, struct err *err) GW_MUST_USE;
// client_connect for commands that act on what runs: that there is no supervisor is an error, which
// says how to start one.
struct client *client_connect_running(struct err *err) GW_MUST_USE;
void client_close(struct client *client); // NULL is allowed

// Sends {"cmd": command, "args": args} (args is taken, may be NULL), prints progress lines to
// stdout as they come, and returns the answer (json_object_put). NULL with the error of the answer
// (its beginning: client_refusal has all of it), or with that of the connection.
struct json_object *client_request(struct client *client, const char *command,
                                   struct json_object *args, struct err *err) GW_MUST_USE;

// The whole error of the answer to the last request; NULL when it was none.
const char *client_refusal(const struct client *client);

// The next message of the supervisor, when it comes: a push, on a connection whose request asked
// for them (json_object_put). NULL with err at the end of the connection.
struct json_object *client_next_message(struct client *client, struct err *err) GW_MUST_USE;

// client_request for a command whose answer holds nothing: tells an error on stderr, returns the
// exit code.
int client_command(struct client *client, const char *command, struct json_object *args);

// {"selectors": words}, for client_command.
struct json_object *client_selectors(char **words, size_t count);

// Returns when the supervisor has closed the connection.
void client_wait_end(struct client *client);

#endif
