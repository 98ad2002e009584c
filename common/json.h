// Strict JSON with positions, over json-c.
//
// RFC 8259 to the letter, plus what people write in files: // and /* */ comments and one trailing
// comma in arrays and objects (JSON_RELAXED). Errors where json-c is lenient: duplicate keys,
// NaN/Infinity, single quotes, raw control characters and lone surrogates in strings, \u0000 in
// keys, numbers outside int64/double, leading zeros, text behind the value, invalid UTF-8, nesting
// deeper than 32, texts over 4 MiB.
#ifndef GW_COMMON_JSON_H
#define GW_COMMON_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum json_mode { JSON_STRICT, JSON_RELAXED };

// Where a value stands in its text; both from 1; columns count bytes. {0, 0} = unknown.
struct json_place {
    unsigned line;
    unsigned column;
};

// A parsed text: the tree and where everything in it stood.
struct json_doc;

// Parses `length` bytes. On failure err holds the sentence without place and *place the place.
// Returns NULL on failure. place may be NULL.
struct json_doc *json_doc_parse(const char *text, size_t length, enum json_mode mode,
                                struct json_place *place, struct err *err) GW_MUST_USE;
void json_doc_free(struct json_doc *doc); // also drops its reference to the root

// The root, borrowed; json_object_get it to keep it beyond the doc. NULL is the JSON null.
struct json_object *json_doc_root(const struct json_doc *doc);

// Where object's member `key` (its key) or array's item `index` stands. {0,0} when it was not in
// the text. Works for every container of the doc's tree, and with doc NULL.
struct json_place json_member_place(const struct json_doc *doc, struct json_object *object,
                                    const char *key);
struct json_place json_value_place(const struct json_doc *doc, struct json_object *object,
                                   const char *key);
struct json_place json_item_place(const struct json_doc *doc, struct json_object *array,
                                  size_t index);
// Where a value of the doc's tree stands. A JSON null has no address: NULL is the root when that is
// null, else unknown.
struct json_place json_own_place(const struct json_doc *doc, struct json_object *value);

// One message of a line protocol: JSON_STRICT, must be an object. The caller owns the result
// (json_object_put). NULL on failure.
struct json_object *json_parse_message(const char *line, size_t length,
                                       struct err *err) GW_MUST_USE;

// Members by type; the fallback when absent or of another type.
const char *json_get_string(struct json_object *object, const char *key, const char *fallback);
int64_t json_get_int(struct json_object *object, const char *key, int64_t fallback);
bool json_get_bool(struct json_object *object, const char *key, bool fallback);
struct json_object *json_get_object(struct json_object *object, const char *key); // or NULL
struct json_object *json_get_array(struct json_object *object, const char *key);  // or NULL

#endif
