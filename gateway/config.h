// Where a worker's configuration comes from.
#ifndef GW_GATEWAY_CONFIG_H
#define GW_GATEWAY_CONFIG_H

#include "common/err.h"

struct ecosystem;
struct json_object;

// Reads an ecosystem file in our own environment. It must have a gateway. Everything wrong with it
// is logged, a line each; err then says how much that was. NULL on failure.
struct ecosystem *config_load(const char *file, struct err *err) GW_MUST_USE;

// The same for the resolved document that the supervisor sends (borrowed, may be NULL).
struct ecosystem *config_from_document(struct json_object *document, struct err *err) GW_MUST_USE;

#endif
