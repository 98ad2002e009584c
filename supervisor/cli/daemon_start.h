// Starts a supervisor in the background: gw-keeper, which starts gw-supervisor.
#ifndef GW_CLI_DAEMON_START_H
#define GW_CLI_DAEMON_START_H

#include "client.h"

// A connection to the supervisor; when none answers, one is started first (told on stderr). NULL
// with err, which holds the last line of its log when it ended at once.
struct client *daemon_connect_or_start(struct err *err) GW_MUST_USE;

#endif
