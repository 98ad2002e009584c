// Answers that the gateway gives itself.
#ifndef GW_GATEWAY_REPLY_H
#define GW_GATEWAY_REPLY_H

#include <h2o.h>

#include "span.h"

// problem+json for the status (problem.h). `field` is one more header field, constants with a
// lower-case name, or NULL. The request may be gone when this returns.
void reply_problem(h2o_req_t *req, int status, const struct field *field);

// A document of a JSON type that must not be stored by anybody; its bytes are copied, the type is a
// constant. The status is 200 or one of problem.h.
void reply_json(h2o_req_t *req, int status, struct span type, struct span body);

// 204.
void reply_no_content(h2o_req_t *req);

// To a client that is gone: an empty answer that ends the connection.
void reply_nothing(h2o_req_t *req);

// An answer from the cache; its fields are in req->res already. `reason` and `body` live as long as
// the request.
void reply_stored(h2o_req_t *req, int status, struct span reason, struct span body);

#endif
