// Whether a condition of the configuration holds for a request.
#ifndef GW_GATEWAY_MATCH_H
#define GW_GATEWAY_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

struct match_config;

// What is known of a request; all borrowed.
struct match_subject {
    struct span method;
    struct span path;  // normalised
    struct span query; // with its '?', or empty
    const struct field *fields;
    size_t field_count;
    bool has_identity; // proven; an Authorization field counts by itself
};

// Whether everything that the condition names holds.
bool match_request(const struct match_config *config, const struct match_subject *subject);

// Whether one of the `count` conditions holds.
bool match_any(const struct match_config *configs, size_t count,
               const struct match_subject *subject);

// Whether the request has an Authorization field or a proven identity.
bool match_is_authenticated(const struct match_subject *subject);

#endif
