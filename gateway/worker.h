// A gateway worker from start to end.
#ifndef GW_GATEWAY_WORKER_H
#define GW_GATEWAY_WORKER_H

#include "common/err.h"

// Serves until told to end (SIGTERM, SIGINT) and everything is answered. With an ecosystem file it
// works alone on listeners of its own; with NULL it gets sockets, memory and configuration from the
// supervisor that started it. -1: it could not start.
int worker_run(const char *config_file, struct err *err) GW_MUST_USE;

#endif
