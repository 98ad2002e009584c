// The command line of gw-exec for a process, and its environment.
#ifndef GW_SUPERVISOR_LAUNCHER_H
#define GW_SUPERVISOR_LAUNCHER_H

#include "process.h"

// NULL-terminated; freed with launcher_args_free.
char **launcher_args(const struct process_options *options, size_t status_fd);
void launcher_args_free(char **args);

// options->env and what tells the process of the fds that are handed down to it. The array and the
// strings from *first on are new: freed with launcher_env_free.
char **launcher_env(const struct process_options *options, size_t *first);
void launcher_env_free(char **env, size_t first);

#endif
