// A message of control.sock that asks for something, as its handler gets it.
#ifndef GW_SUPERVISOR_REQUEST_H
#define GW_SUPERVISOR_REQUEST_H

#include <json-c/json.h>
#include <stdint.h>

struct control_connection;
struct daemon;

// All borrowed until the handler returns.
struct request {
    struct daemon *daemon;
    struct control_connection *connection;
    int64_t id;
    struct json_object *args; // NULL: none
};

#endif
