// Opening, keeping and steering of slot sockets. Sockets are known by their addresses, as they
// stand in the file.

#include "slot_sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/proto.h"
#include "daemon.h"
#include "keeper_link.h"
#include "listeners.h"

// slot.<slot>.<address>, with '/' for ':', which no name of an fd may hold.
static void keeper_name(const struct slot *slot, const char *address, char *out, size_t size)
{
    snprintf(out, size, "slot.%u.%s", slot->index, address);
    for (char *at = out; *at; at++) {
        if (*at == ':')
            *at = '/';
    }
}

static int find_address(const struct slot *slot, const char *address)
{
    for (size_t i = 0; i < slot->socket_count; i++) {
        if (strcmp(slot->sockets[i].address, address) == 0)
            return (int)i;
    }
    return -1;
}

static bool is_first(const struct app *app, const char *address)
{
    for (size_t i = 0; i < app->slot_count; i++) {
        if (find_address(app->slots[i], address) != -1)
            return false;
    }
    return true;
}

static int open_one(struct app *app, struct slot *slot, const char *address, struct err *err)
{
    char host[64], name[KEEPER_NAME_MAX];
    int port;

    keeper_name(slot, address, name, sizeof name);
    int fd = keeper_link_take(app->daemon->keeper, name);
    if (fd >= 0)
        return fd;
    if (listen_address_parse(address, host, sizeof host, &port, err) == -1)
        return -1;
    fd = slot_socket_open(host, port, is_first(app, address), err);
    if (fd >= 0 && keeper_link_store(app->daemon->keeper, name, fd, err) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

static void close_one(struct app *app, struct slot *slot, struct slot_socket *socket)
{
    char name[KEEPER_NAME_MAX];
    keeper_name(slot, socket->address, name, sizeof name);
    keeper_link_remove(app->daemon->keeper, name);
    close(socket->fd);
    free(socket->address);
}

int slot_sockets_open(struct app *app, struct slot *slot, const struct gateway_config *gateway,
                      struct err *err)
{
    const struct listen_config *wanted = gateway->listen.items;
    for (size_t i = 0; i < gateway->listen.count; i++) {
        if (find_address(slot, wanted[i].address) != -1)
            continue;
        int fd = open_one(app, slot, wanted[i].address, err);
        if (fd == -1)
            return -1;
        slot->sockets =
            mem_realloc(slot->sockets, (slot->socket_count + 1) * sizeof *slot->sockets);
        slot->sockets[slot->socket_count++] =
            (struct slot_socket){fd, mem_strdup(wanted[i].address)};
    }
    return 0;
}

static bool is_wanted(const struct gateway_config *gateway, const char *address)
{
    const struct listen_config *wanted = gateway->listen.items;
    for (size_t i = 0; i < gateway->listen.count; i++) {
        if (strcmp(wanted[i].address, address) == 0)
            return true;
    }
    return false;
}

void slot_sockets_drop_others(struct app *app, struct slot *slot)
{
    const struct gateway_config *gateway = spec_gateway(app->spec);
    size_t kept = 0;
    for (size_t i = 0; i < slot->socket_count; i++) {
        if (is_wanted(gateway, slot->sockets[i].address))
            slot->sockets[kept++] = slot->sockets[i];
        else
            close_one(app, slot, &slot->sockets[i]);
    }
    slot->socket_count = kept;
}

int slot_socket_fd(const struct slot *slot, const char *address)
{
    int at = find_address(slot, address);
    return at == -1 ? -1 : slot->sockets[at].fd;
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
        report(slot_group_steer(app->slots[0]->sockets[i].fd, (unsigned)count, &err), &err);
}

void slot_sockets_unsteer(struct app *app)
{
    struct err err;
    for (size_t i = 0; app->slot_count > 0 && i < app->slots[0]->socket_count; i++)
        report(slot_group_unsteer(app->slots[0]->sockets[i].fd, &err), &err);
}

void slot_sockets_close(struct app *app, struct slot *slot)
{
    for (size_t i = 0; i < slot->socket_count; i++)
        close_one(app, slot, &slot->sockets[i]);
    free(slot->sockets);
    slot->sockets = NULL;
    slot->socket_count = 0;
}
