// Ports for `"port": "auto"`: free, outside the range the kernel takes for outgoing connections,
// and none given twice. A port that was given back is the last to be used again.
#ifndef GW_SUPERVISOR_PORT_POOL_H
#define GW_SUPERVISOR_PORT_POOL_H

#include "common/err.h"

enum { PORT_POOL_FIRST = 20000, PORT_POOL_LAST = 29999 };

struct port_range {
    int first, last; // both belong to it; first > last: empty
};

struct port_pool;

// The pool of PORT_POOL_FIRST..LAST without /proc/sys/net/ipv4/ip_local_port_range.
struct port_pool *port_pool_new(void);

// The same with ranges of one's own.
struct port_pool *port_pool_new_range(struct port_range range, struct port_range without);

void port_pool_free(struct port_pool *pool); // NULL is allowed

// The text of ip_local_port_range, "32768\t60999\n". Empty when it is none.
struct port_range port_range_parse(const char *text);

// The next port of the pool that is not in use, marked as used; -1 when all are. Pure: nobody else
// is asked.
int port_pool_next(struct port_pool *pool);

// The next port that nobody on this machine has bound; -1 with err when there is none.
int port_pool_take(struct port_pool *pool, struct err *err) GW_MUST_USE;

// It is not used any more. A port that is not of this pool is ignored.
void port_pool_give(struct port_pool *pool, int port);

#endif
