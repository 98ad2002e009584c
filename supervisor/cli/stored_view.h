// What the gateway stored, for people to look at. The gateway itself reads it with more suspicion
// (gateway/stored.h): it sends what it reads.
#ifndef GW_CLI_STORED_VIEW_H
#define GW_CLI_STORED_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct piece {
    const char *bytes; // of the value; no NUL
    size_t length;
};

enum stored_view_kind {
    STORED_VIEW_NONE, // some other value: a client's, damaged, or of another version
    STORED_VIEW_ANSWER,
    STORED_VIEW_VARY, // the answers have keys of their own
    STORED_VIEW_PASS, // an answer could not be stored lately
};

// All pieces point into the value. What is of another kind is zero.
struct stored_view {
    uint64_t stored_at_ms; // wall clock
    // of answers
    uint64_t ttl_ms;
    uint32_t initial_age_s;
    int status;
    struct piece reason, fields, body;
    // of vary
    struct piece names;
};

// Any bytes.
enum stored_view_kind stored_view_read(struct piece value, struct stored_view *view);

// The next field of an answer, or name of vary. *rest starts as view->fields or view->names and is
// shortened; false when there is none left.
bool stored_view_next_field(struct piece *rest, struct piece *name, struct piece *text);
bool stored_view_next_name(struct piece *rest, struct piece *name);

#endif
