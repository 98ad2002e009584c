// The types of rows whose value is not an object described by a table.
#ifndef GW_COMMON_KEY_VALUES_H
#define GW_COMMON_KEY_VALUES_H

#include "common/keytable.h"

// Sets the row's (empty) field from value. On failure the field is untouched, and the sentence
// stands behind the path. Not for KEY_ENVIRONMENT, KEY_OBJECT,
// KEY_OBJECTS, KEY_OBJECT_MAP, whose members have findings of their own.
int key_value_parse(const struct key *key, struct json_object *value, void *field,
                    struct err *err) GW_MUST_USE;

// The same from the row's fallback; a fallback that its own row refuses is our bug (assert).
void key_value_default(const struct key *key, void *field);

// Releases and zeroes the field.
void key_value_clear(const struct key *key, void *field);

// Adds one member of a KEY_ENVIRONMENT as "NAME=value". *at_name, on failure: it is the name that
// is wrong, not the value.
int key_variable_parse(const char *name, struct json_object *value, struct key_strings *strings,
                       bool *at_name, struct err *err) GW_MUST_USE;

// Takes text.
void key_strings_add(struct key_strings *strings, char *text);
void key_strings_clear(struct key_strings *strings);

#endif
