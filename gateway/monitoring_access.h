// Who may ask for /api/monitoring: whoever has the operators' token, and, for looking, who is on
// this machine, came without a proxy between, and asked for it by a name that only this machine
// has. Pure.
#ifndef GW_GATEWAY_MONITORING_ACCESS_H
#define GW_GATEWAY_MONITORING_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

struct monitoring_request {
    struct span peer; // the client's address
    struct span host; // whom it is for (grammar_is_authority); empty: HTTP/1.0, it does not say
    bool is_http_1_0;
    struct span path; // normalised
    struct span method;
    const struct field *fields;
    size_t field_count;
};

enum monitoring_verdict {
    MONITORING_ALLOWED,
    MONITORING_NEEDS_TOKEN, // 401
    MONITORING_FORBIDDEN,   // 403: there is no token that would help
    MONITORING_MISDIRECTED, // 421: from this machine, but by a name that anybody can point at it
    MONITORING_NO_METHOD,   // 405: monitoring_methods says which there are
};

// Is the path one of monitoring's?
bool monitoring_is_path(struct span path);

// `token_sha256`: of the configuration (monitoring_token.h); NULL: it has none.
enum monitoring_verdict monitoring_decide(const char *token_sha256,
                                          const struct monitoring_request *request);

// For the field Allow.
struct span monitoring_methods(struct span path);

#endif
