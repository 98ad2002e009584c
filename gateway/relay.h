// Passes an upstream's answer on to the client: head, body, and the pace of the slower side.
#ifndef GW_GATEWAY_RELAY_H
#define GW_GATEWAY_RELAY_H

#include <h2o.h>
#include <stdbool.h>

#include "body.h"

struct exchange;

// Part of the exchange; relay.c's own, but where it says so. Zero-initialised for each try.
struct relay {
    struct body_decoder decoder;
    h2o_buffer_t *sending; // holds the head and the bytes that libh2o may be writing; or NULL
    size_t decoded;        // of sending
    size_t parsed;         // of the head, when it was incomplete the last time
    size_t wanted;         // a small answer is passed on when there are that many bytes
    bool answered;         // something came, and be it an interim answer; exchange.c's
    bool ended;            // the upstream's connection has ended; exchange.c's
    bool keep_alive;       // the upstream lets its connection serve another request
    bool client_ready;     // libh2o has written what it got
    const char *problem;   // why an answer was refused or broken off: a constant, for the log
};

enum relay_result {
    RELAY_WAITS,  // for more of the head, or of a small body
    RELAY_BEGUN,  // the head was passed on; the exchange may be over and gone
    RELAY_REFUSED // not an answer that may be passed on; nothing was
};

// Looks for the head in the connection's input and passes it on with what is there of the body. A
// small body of known length is waited for, unless `hurry`, so that the client gets one packet.
enum relay_result relay_begin(struct exchange *exchange, bool hurry);

// While relay_begin waits: has the head of the final answer begun, or is it an interim one's (1xx)?
bool relay_sees_final_head(const struct exchange *exchange);

// Passes on what came since, if the client can take it. The exchange may be gone afterwards.
void relay_continue(struct exchange *exchange);

// Releases the buffers.
void relay_fini(struct relay *relay);

#endif
