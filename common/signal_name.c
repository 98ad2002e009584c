// Looks names up in what libc calls its signals.

#include "common/signal_name.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_SIGNAL = 1, LAST_SIGNAL = 31 };

int signal_name_find(const char *name)
{
    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    for (int number = FIRST_SIGNAL; number <= LAST_SIGNAL; number++) {
        const char *known = sigabbrev_np(number);
        if (known && strcmp(known, name) == 0)
            return number;
    }
    return 0;
}

void signal_name_format(int number, char out[SIGNAL_NAME_SIZE])
{
    const char *known = sigabbrev_np(number);
    if (known)
        snprintf(out, SIGNAL_NAME_SIZE, "SIG%s", known);
    else
        snprintf(out, SIGNAL_NAME_SIZE, "signal %d", number);
}
