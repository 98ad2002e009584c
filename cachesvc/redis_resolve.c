// A question of getaddrinfo(3), which a thread of libuv asks. It outlives whoever does not want to
// know any more.
#include "redis_resolve.h"

#include <stdlib.h>

#include "common/mem.h"

struct redis_resolve {
    uv_getaddrinfo_t request;
    int port;
    void (*on_found)(void *context, const struct redis_address *address, const char *reason);
    void *context; // with on_found, which is NULL when it is not wanted
};

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct redis_resolve *resolve = request->data;
    struct redis_address address = {.port = resolve->port};
    if (status == 0)
        status = uv_ip_name(found->ai_addr, address.host, sizeof address.host);
    if (resolve->on_found && status == 0)
        resolve->on_found(resolve->context, &address, NULL);
    else if (resolve->on_found)
        resolve->on_found(resolve->context, NULL, uv_strerror(status));
    uv_freeaddrinfo(found);
    free(resolve);
}

struct redis_resolve *redis_resolve_start(uv_loop_t *loop, const char *host, int port,
                                          void (*on_found)(void *context,
                                                           const struct redis_address *address,
                                                           const char *reason),
                                          void *context, struct err *err)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct redis_resolve *resolve = mem_zalloc(1, sizeof *resolve);
    *resolve = (struct redis_resolve){.port = port, .on_found = on_found, .context = context};
    resolve->request.data = resolve;
    int result = uv_getaddrinfo(loop, &resolve->request, on_resolved, host, NULL, &hints);
    if (result == 0)
        return resolve;
    free(resolve);
    err_set(err, "%s", uv_strerror(result));
    return NULL;
}

void redis_resolve_cancel(struct redis_resolve *resolve)
{
    if (resolve)
        resolve->on_found = NULL;
}
