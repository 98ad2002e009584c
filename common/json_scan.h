// The grammar of a JSON text and where its values stand, before json-c makes the tree.
#ifndef GW_COMMON_JSON_SCAN_H
#define GW_COMMON_JSON_SCAN_H

#include "common/json.h"

// One value. Values stand in the order of the text: a container's first child is the mark behind
// it, the next child is at the `end` of the one before.
struct json_mark {
    size_t key;   // offset of a member's key, else of the value
    size_t value; // offset of the value
    size_t end;   // index of the first mark behind this value and all in it
};

struct json_scan {
    char *text; // comments and trailing commas are blanks; same offsets; NUL at [length]
    size_t length;
    struct json_mark *marks; // marks[0] is the root
    size_t count;
    size_t *lines; // offsets of the lines' first bytes
    size_t line_count;
    size_t failed_at; // after a failure: the offset
};

// Fills scan in both cases; json_scan_fini releases it.
int json_scan_init(struct json_scan *scan, const char *text, size_t length, enum json_mode mode,
                   struct err *err) GW_MUST_USE;
void json_scan_fini(struct json_scan *scan);

struct json_place json_scan_place(const struct json_scan *scan, size_t offset);

#endif
