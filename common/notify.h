// Tells the supervisor how we are, as sd_notify(3) does.
#ifndef GW_COMMON_NOTIFY_H
#define GW_COMMON_NOTIFY_H

// Sends one datagram ("READY=1", "STOPPING=1\nSTATUS=draining") to $NOTIFY_SOCKET. Without that
// variable nothing happens; a failure is logged, since nobody could do anything about it.
void notify_send(const char *message);

#endif
