// The words of restart_reason.h. Who restarts when is restart_policy's.

#include "restart_reason.h"

#include <string.h>
#include <sys/wait.h>

static const char *const names[RESTART_REASONS] = {
    [RESTART_CRASH] = "crash",   [RESTART_EXIT] = "exit",     [RESTART_NOT_READY] = "not_ready",
    [RESTART_HUNG] = "hung",     [RESTART_HEALTH] = "health", [RESTART_MEMORY] = "memory",
    [RESTART_MANUAL] = "manual", [RESTART_RELOAD] = "reload",
};

enum restart_reason restart_reason_of_exit(int status)
{
    return status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? RESTART_EXIT
                                                                        : RESTART_CRASH;
}

const char *restart_reason_name(enum restart_reason reason)
{
    return names[reason];
}

enum restart_reason restart_reason_find(const char *name)
{
    int reason = 0;
    while (reason < RESTART_REASONS && strcmp(names[reason], name) != 0)
        reason++;
    return (enum restart_reason)reason;
}
