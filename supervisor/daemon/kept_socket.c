// Sockets by name. Who accepts on them is told by whoever asks for them.

#include "kept_socket.h"

#include <unistd.h>

#include "common/usock.h"
#include "keeper_link.h"

int kept_socket_open(int *fd, const char *name, enum home_file file, struct keeper_link *keeper,
                     struct err *err)
{
    if (*fd == -1)
        *fd = keeper_link_take(keeper, name);
    if (*fd == -1)
        *fd = usock_listen(home_path(file), err);
    return *fd == -1 ? -1 : keeper_link_store(keeper, name, *fd, err);
}

void kept_socket_close(int *fd, const char *name, enum home_file file, struct keeper_link *keeper)
{
    if (*fd == -1)
        return;
    keeper_link_remove(keeper, name);
    unlink(home_path(file));
    close(*fd);
    *fd = -1;
}
