// Blocks; nobody unblocks, since the process ends.
#include "common/end_signals.h"

#include <signal.h>
#include <stddef.h>

void end_signals_block(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
}
