// A value of the cache: a stored answer, or a mark that stands in its place.
//
// Their form is in common/stored_form.h.
//   answer   what an upstream said
//   vary     names of request fields: the answers are stored under the keys of variants. Its nonce
//            is part of them: a new mark in place of a removed one finds none of the old variants
//   pass     an answer to this could not be stored lately: nobody should wait for one
#ifndef GW_GATEWAY_STORED_H
#define GW_GATEWAY_STORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "span.h"

struct connection_names;
struct vary;

// --- writing ------------------------------------------------------------------------------------

// What an answer is made of; all borrowed.
struct stored_source {
    uint64_t stored_at_ms; // clock_wall_ms
    uint64_t ttl_ms;
    uint32_t initial_age_s; // cache_policy_initial_age
    int status;
    struct span reason;
    const struct field *fields; // as they came
    size_t field_count;
    const struct connection_names *connection;
};

// Appends all but the body to `blob`, which is empty: then buf_append the body, then stored_finish.
// Fields that must not cross the gateway are left out, and Age and Set-Cookie. Returns -1 when a
// field is too long or there are too many.
int stored_begin(struct buf *blob, const struct stored_source *source) GW_MUST_USE;
void stored_finish(struct buf *blob);

// Each appends a whole blob to an empty one. `reason` is an enum cache_reason, for debugging.
void stored_write_vary(struct buf *blob, const struct vary *vary, uint32_t nonce,
                       uint64_t stored_at_ms);
void stored_write_pass(struct buf *blob, int reason, uint64_t stored_at_ms);

// --- reading ------------------------------------------------------------------------------------

enum stored_kind {
    STORED_BAD, // damaged, or of another version: as if it were not there
    STORED_ANSWER,
    STORED_VARY,
    STORED_PASS,
};

// All spans point into the blob. What is of another kind is zero.
struct stored {
    uint64_t stored_at_ms;
    // of answers
    uint64_t ttl_ms;
    uint32_t initial_age_s;
    int status; // 200 to 299
    struct span reason;
    struct span etag, last_modified; // values; empty when there is none
    struct span fields;              // for stored_next_field
    size_t field_count;
    struct span body;
    // of vary
    uint32_t nonce;
    // of pass
    int reason_code;
};

// Any bytes. Returns what they are; of an answer every length, name and value was checked, so that
// its fields may be sent as they are. `vary` is filled for STORED_VARY only.
enum stored_kind stored_read(struct span blob, struct stored *stored, struct vary *vary);

// The next field. Starts with *rest = stored->fields, which it shortens. Returns false when there
// is none left.
bool stored_next_field(struct span *rest, struct field *field);

#endif
