// One datagram of the notify protocol (sd_notify(3)): lines of KEY=value. Pure.
#ifndef GW_SUPERVISOR_NOTIFY_MESSAGE_H
#define GW_SUPERVISOR_NOTIFY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum { NOTIFY_MESSAGE_MAX = 4096, NOTIFY_STATUS_SIZE = 201 };

struct notify_message {
    bool ready;     // READY=1
    bool stopping;  // STOPPING=1
    bool reloading; // RELOADING=1
    bool watchdog;  // WATCHDOG=1
    bool has_status;
    char status[NOTIFY_STATUS_SIZE]; // STATUS=..., made safe by foreign_text_copy
};

// Every line must be KEY=value, the key of A-Z, 0-9 and '_', no NUL anywhere; else -1 with the
// reason, and nothing of the datagram counts. Unknown keys and other values of known ones are
// allowed and mean nothing; of a repeated STATUS the last one counts.
int notify_message_parse(const char *bytes, size_t length, struct notify_message *message,
                         struct err *err) GW_MUST_USE;

#endif
