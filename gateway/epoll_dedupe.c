// Spares libuv's redundant epoll_ctl calls.
//
// libh2o stops reading from a client while its request is answered and starts again after. libuv
// forgets the descriptor at the stop without telling the kernel, and at the start tells it twice:
// EPOLL_CTL_ADD, which fails with EEXIST, then EPOLL_CTL_MOD to what was there all the time. Two
// system calls a request, a good tenth of what a proxied request costs.
//
// So the executable defines epoll_ctl itself (libuv, a shared library, calls whichever the program
// has) and remembers what is registered: a call that would change nothing is not made.
//
// Invariant: the table never says more than the kernel knows. libuv makes an EPOLL_CTL_DEL before
// it closes a descriptor, always, and that goes through here, so a number that is used again starts
// unknown. Other epoll instances and large descriptors pass straight through. One thread only.
#include "epoll_dedupe.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEDUPE_MAX_FD = 65536 };

struct registration {
    uint32_t events;
    bool known;
    uint64_t data;
};

static struct registration table[DEDUPE_MAX_FD]; // pages that are not used cost nothing
static int table_epoll = -1;                     // the instance it is about: the first one seen

static int call_kernel(int epoll, int operation, int fd, struct epoll_event *event)
{
    return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static bool is_covered(int epoll, int fd)
{
    if (table_epoll == -1)
        table_epoll = epoll;
    return epoll == table_epoll && fd >= 0 && fd < DEDUPE_MAX_FD;
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    if (!is_covered(epoll, fd))
        return call_kernel(epoll, operation, fd, event);
    struct registration *entry = &table[fd];
    if (operation == EPOLL_CTL_DEL || event == NULL) {
        entry->known = false;
        return call_kernel(epoll, operation, fd, event);
    }
    if (entry->known && entry->events == event->events && entry->data == event->data.u64)
        return 0;
    if (entry->known)
        operation = EPOLL_CTL_MOD;
    int result = call_kernel(epoll, operation, fd, event);
    *entry = (struct registration){event->events, result == 0, event->data.u64};
    return result;
}

void epoll_dedupe_init(void)
{
    table_epoll = -1;
}
