// Watches the memory of apps that have a cap: what their processes have for themselves, never what
// they share with others. Above max_memory_restart a process is replaced as by a reload; above
// max_memory_kill it is killed with its tree.
#ifndef GW_SUPERVISOR_MEMORY_WATCH_H
#define GW_SUPERVISOR_MEMORY_WATCH_H

#include "daemon.h"

struct memory_watch;

struct memory_watch *memory_watch_start(struct daemon *daemon);
void memory_watch_stop(struct memory_watch *watch);

#endif
