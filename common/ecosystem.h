// An ecosystem file, from its text to checked configuration.
//
// The command line loads a file in the environment of the command (variables, relative paths) and
// sends the resolved document; the supervisor parses that document again with the same tables.
#ifndef GW_COMMON_ECOSYSTEM_H
#define GW_COMMON_ECOSYSTEM_H

#include "common/app_config.h"
#include "common/cachesvc_config.h"
#include "common/gateway_config.h"
#include "common/metricsd_config.h"
#include "common/subst.h"

// A checked configuration.
struct ecosystem {
    struct app_config *apps;
    size_t app_count;
    struct gateway_config *gateway; // NULL when the file has none
    // The sidecars, NULL: none; a file with a gateway has them, unless it says false.
    struct cachesvc_config *cachesvc;
    struct metricsd_config *metricsd;
    // The resolved JSON of each part, for storing, comparing and handing on: an object
    // {"apps": [...], "gateway": {...}, "cachesvc": {...}, "metricsd": {...}} in canonical form
    // (strings expanded, paths absolute).
    struct json_object *document;
};

// Parses `text` (relaxed JSON; an object with "apps" and/or "gateway", an array of apps, or one
// app), expands variables in every string, makes script, cwd and log paths absolute against
// `folder` (a script that is only in the app's cwd: against that), checks everything with the
// tables and across them (names unique, `gateway` reserved, routes name upstreams, upstreams name
// apps with a port). All findings go to errors. Returns NULL when there were any.
struct ecosystem *ecosystem_load(const char *text, size_t length, const char *folder,
                                 subst_lookup *lookup, void *context,
                                 struct config_errors *errors) GW_MUST_USE;

// The same from a resolved document (borrowed), as the supervisor and the gateway get it.
struct ecosystem *ecosystem_from_document(struct json_object *document,
                                          struct config_errors *errors) GW_MUST_USE;

void ecosystem_free(struct ecosystem *ecosystem);

#endif
