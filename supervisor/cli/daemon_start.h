// Starts a supervisor in the background: gw-keeper, which starts gw-supervisor.
#ifndef GW_CLI_DAEMON_START_H
#define GW_CLI_DAEMON_START_H

#include "client.h"

// A connection to the supervisor; when none answers, the home is made where missing and one is
// started first (told on stderr). NULL with err, which holds the last line of its log when it ended
// at once. A signal that comes meanwhile takes effect when the supervisor answers: one that is
// being started would be noticed by nobody.
struct client *daemon_connect_or_start(struct err *err) GW_MUST_USE;

#endif
