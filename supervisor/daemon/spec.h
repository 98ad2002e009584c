// What an app is to be: a checked part of an ecosystem document, shared by the app and by every
// worker that was started from it, so that an old worker keeps its own while a new one is rolled
// in.
#ifndef GW_SUPERVISOR_SPEC_H
#define GW_SUPERVISOR_SPEC_H

#include <stdbool.h>

#include "common/ecosystem.h"

struct spec;

// Whose program it is; the names of our own are reserved.
enum spec_role { SPEC_APP, SPEC_GATEWAY, SPEC_CACHESVC, SPEC_METRICSD };

// The spec of each app in a checked document, then those of the sidecars and the gateway. Takes the
// ecosystem. `environment` is the command's, an array of "NAME=value" (a reference is taken); NULL:
// that of the supervisor. *count is their number; the caller owns one reference to each and the
// array (free).
struct spec **spec_list(struct ecosystem *ecosystem, struct json_object *environment,
                        size_t *count);

struct spec *spec_ref(struct spec *spec);
void spec_unref(struct spec *spec); // NULL is allowed

enum spec_role spec_role(const struct spec *spec);
const char *spec_name(const struct spec *spec); // of our own programs: "gateway" ...
const struct app_config *spec_config(const struct spec *spec);
const struct gateway_config *spec_gateway(const struct spec *spec);   // NULL for others
const struct cachesvc_config *spec_cachesvc(const struct spec *spec); // NULL for others

// The whole resolved document the spec came from; borrowed.
struct json_object *spec_document(const struct spec *spec);

// The environment of the command that brought the document; borrowed; NULL: none was sent.
struct json_object *spec_environment(const struct spec *spec);

// The JSON of this app alone; borrowed.
struct json_object *spec_json(const struct spec *spec);

// The same settings of a process, key by key; `instances` is not one.
bool spec_equal(const struct spec *a, const struct spec *b);

#endif
