// Chooses ports.
//
// Not its job: to hold them: the port is only known to be free at the moment it is given out, since
// the app has to bind it itself. The range keeps clear of the ports that the kernel gives to
// outgoing connections, and port_pool_take of everybody who listens.

#include "port_pool.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"

enum { PORT_FREE, PORT_USED, PORT_EXCLUDED };

struct port_pool {
    int first;
    int count;
    int cursor; // index of the port to look at next
    unsigned char state[];
};

struct port_range port_range_parse(const char *text)
{
    struct port_range none = {1, 0};
    char *end;
    long first = strtol(text, &end, 10), last;

    if (end == text)
        return none;
    text = end;
    last = strtol(text, &end, 10);
    if (end == text || (*end && *end != '\n') || first < 0 || last > 65535)
        return none;
    return (struct port_range){(int)first, (int)last};
}

static struct port_range outgoing_range(void)
{
    char text[64] = "";
    int fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    return port_range_parse(text);
}

struct port_pool *port_pool_new_range(struct port_range range, struct port_range without)
{
    int count = range.last >= range.first ? range.last - range.first + 1 : 0;
    struct port_pool *pool = mem_zalloc(1, sizeof *pool + (size_t)count);

    pool->first = range.first;
    pool->count = count;
    for (int i = 0; i < count; ++i)
        if (range.first + i >= without.first && range.first + i <= without.last)
            pool->state[i] = PORT_EXCLUDED;
    return pool;
}

struct port_pool *port_pool_new(void)
{
    struct port_pool *pool =
        port_pool_new_range((struct port_range){PORT_POOL_FIRST, PORT_POOL_LAST}, outgoing_range());
    // Supervisors of several homes begin at different places, so that they rarely want the same.
    pool->cursor = (int)getpid() % pool->count;
    return pool;
}

void port_pool_free(struct port_pool *pool)
{
    free(pool);
}

int port_pool_next(struct port_pool *pool)
{
    for (int tries = 0; tries < pool->count; ++tries) {
        int i = pool->cursor;
        pool->cursor = (i + 1) % pool->count;
        if (pool->state[i] == PORT_FREE) {
            pool->state[i] = PORT_USED;
            return pool->first + i;
        }
    }
    return -1;
}

// Without SO_REUSEADDR: what is left of closed connections makes a port unfit too, as the app may
// not set that option either.
static bool nobody_has(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    return bound;
}

int port_pool_take(struct port_pool *pool, struct err *err)
{
    for (int tries = 0; tries < pool->count; ++tries) {
        int port = port_pool_next(pool);
        if (port < 0)
            break;
        if (nobody_has(port))
            return port;
        port_pool_give(pool, port);
    }
    return err_set(err, "no port is free between %d and %d", pool->first,
                   pool->first + pool->count - 1);
}

void port_pool_give(struct port_pool *pool, int port)
{
    int i = port - pool->first;
    if (i >= 0 && i < pool->count && pool->state[i] == PORT_USED)
        pool->state[i] = PORT_FREE;
}
