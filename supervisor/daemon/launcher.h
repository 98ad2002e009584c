// The command line of gw-exec for a process.
#ifndef GW_SUPERVISOR_LAUNCHER_H
#define GW_SUPERVISOR_LAUNCHER_H

#include "process.h"

// NULL-terminated; freed with launcher_args_free.
char **launcher_args(const struct process_options *options, size_t status_fd);
void launcher_args_free(char **args);

#endif
