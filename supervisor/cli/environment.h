// The environment of this command, as requests carry it.
#ifndef GW_CLI_ENVIRONMENT_H
#define GW_CLI_ENVIRONMENT_H

#include <json-c/json.h>

// An array of "NAME=value" (json_object_put): `environment` of common/proto.h.
struct json_object *environment_list(void);

#endif
