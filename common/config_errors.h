// What keytable.c and ecosystem.c need of the findings beyond keytable.h.
#ifndef GW_COMMON_CONFIG_ERRORS_H
#define GW_COMMON_CONFIG_ERRORS_H

#include "common/keytable.h"

// The object that config_errors_add_key speaks of; all borrowed.
struct config_scope {
    const struct json_doc *doc; // may be NULL
    struct json_object *value;
    const char *path;
};

// Makes `scope` the object at hand; returns the one before, to be given back.
struct config_scope config_errors_enter(struct config_errors *errors, struct config_scope scope);

#endif
