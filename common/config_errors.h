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

// A finding that explains everything else that is wrong with the value at this place: findings that
// are added about the same place later are left out.
void config_errors_add_final(struct config_errors *errors, struct json_place place,
                             const char *format, ...) GW_PRINTF(3, 4);

// How many were added, with those that were left out: whether something is wrong with an object is
// seen from this number.
size_t config_errors_noticed(const struct config_errors *errors);

// Makes `scope` the object at hand; returns the one before, to be given back.
struct config_scope config_errors_enter(struct config_errors *errors, struct config_scope scope);

#endif
