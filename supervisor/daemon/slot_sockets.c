// Opening, keeping and steering of slot sockets. The names in the keeper: slot.<slot>.<listener>.

#include "slot_sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "daemon.h"
#include "keeper_link.h"
#include "listeners.h"

static void keeper_name(const struct slot *slot, size_t listener, char *out, size_t size)
{
    snprintf(out, size, "slot.%u.%zu", slot->index, listener);
}

static bool is_first(const struct app *app, size_t listener)
{
    for (size_t i = 0; i < app->slot_count; i++) {
        if (app->slots[i]->socket_count > listener)
            return false;
    }
    return true;
}

static int open_one(struct app *app, struct slot *slot, size_t listener, struct err *err)
{
    const struct listen_config *list = spec_gateway(app->spec)->listen.items;
    char host[64], name[48];
    int port;

    keeper_name(slot, listener, name, sizeof name);
    int fd = keeper_link_take(app->daemon->keeper, name);
    if (fd >= 0)
        return fd;
    if (listen_address_parse(list[listener].address, host, sizeof host, &port, err) == -1)
        return -1;
    fd = slot_socket_open(host, port, is_first(app, listener), err);
    if (fd >= 0 && keeper_link_store(app->daemon->keeper, name, fd, err) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

int slot_sockets_open(struct app *app, struct slot *slot, struct err *err)
{
    size_t wanted = spec_gateway(app->spec)->listen.count;
    slot->sockets = mem_realloc(slot->sockets, (wanted + 1) * sizeof(int));
    while (slot->socket_count < wanted) {
        int fd = open_one(app, slot, slot->socket_count, err);
        if (fd == -1)
            return -1;
        slot->sockets[slot->socket_count++] = fd;
    }
    return 0;
}

static void report(int result, const struct err *err)
{
    if (result == -1)
        log_warn("gateway: %s", err->text);
}

void slot_sockets_steer(struct app *app, size_t count)
{
    struct err err;
    for (size_t i = 0; count > 0 && i < app->slots[0]->socket_count; i++)
        report(slot_group_steer(app->slots[0]->sockets[i], (unsigned)count, &err), &err);
}

void slot_sockets_unsteer(struct app *app)
{
    struct err err;
    for (size_t i = 0; app->slot_count > 0 && i < app->slots[0]->socket_count; i++)
        report(slot_group_unsteer(app->slots[0]->sockets[i], &err), &err);
}

void slot_sockets_close(struct app *app, struct slot *slot)
{
    char name[48];
    for (size_t i = 0; i < slot->socket_count; i++) {
        keeper_name(slot, i, name, sizeof name);
        keeper_link_remove(app->daemon->keeper, name);
        close(slot->sockets[i]);
    }
    slot->socket_count = 0;
}
