// The commands of control.sock: one row each, from word to handler.
#ifndef GW_SUPERVISOR_COMMANDS_H
#define GW_SUPERVISOR_COMMANDS_H

#include <json-c/json.h>

struct control_connection;

// Carries out a message; borrows it. Answers when it has an id.
void commands_handle(struct control_connection *connection, struct json_object *message);

#endif
