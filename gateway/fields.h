// Which header fields go on to the other side.
#ifndef GW_GATEWAY_FIELDS_H
#define GW_GATEWAY_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

enum { FIELDS_MAX_NAMED = 16 };

// The field names that a message's Connection fields list and that are worth remembering. Most
// messages name none. Zero-initialise `count` and `overflow`.
struct connection_names {
    size_t count;
    bool overflow; // more than we remember: the message must be refused (400, 502)
    struct span names[FIELDS_MAX_NAMED];
};

// What a Connection value says about the connection itself.
struct connection_options {
    bool close;
    bool keep_alive;
};

// Adds what one Connection value names. `names` or `options` may be NULL. Not remembered, because
// naming them must not remove them: the fields that address, frame or describe the message (Host,
// Content-*, Date …), credentials and cookies, and the fields that we set ourselves
// (X-Forwarded-*); and those which are hop-by-hop anyway. See fields.c for the reasons.
void fields_read_connection(struct span value, struct connection_names *names,
                            struct connection_options *options);

// Reads all Connection fields among `fields`.
void fields_find_connection(const struct field *fields, size_t count,
                            struct connection_names *names, struct connection_options *options);

// May a request's field go upstream? No for hop-by-hop fields, those in `names`, what we write
// ourselves (Host, Content-Length, X-Forwarded-*, Forwarded, X-Real-IP; also spelt with '_' for
// '-', which CGI-like applications cannot tell apart), `Proxy` and `Expect` (libh2o has answered).
bool fields_forward_request(struct span name, const struct connection_names *names);

// May a response's field go to the client? No for hop-by-hop fields, those in `names`, and what
// libh2o writes itself (Content-Length, Date).
bool fields_forward_response(struct span name, const struct connection_names *names);

#endif
