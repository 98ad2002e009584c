// The keeper's only data: a table of file descriptors by name.
//
// Not its job: what the fds are. The invariant: a name is there once, every fd in the table is
// close-on-exec, and all of them stand below store_count. The table is a static array because its
// pages cost nothing until they are used.

#include "store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/proto.h"

struct stored {
    int fd;
    char *name;
};

static struct stored stored[KEEPER_FDS_MAX + 1]; // one more for the link in store_hand_down
static int store_count;

bool store_name_valid(const char *name)
{
    size_t length = strlen(name);
    for (const char *c = name; *c; ++c)
        if (*c <= ' ' || *c > '~' || *c == ':')
            return false;
    return length > 0 && length <= KEEPER_NAME_MAX;
}

static struct stored *find(const char *name)
{
    for (int i = 0; i < store_count; ++i)
        if (strcmp(stored[i].name, name) == 0)
            return &stored[i];
    return NULL;
}

bool store_put(const char *name, int fd)
{
    struct stored *old = find(name);
    char *copy;

    if (old) {
        close(old->fd);
        old->fd = fd;
        return true;
    }
    copy = store_count < KEEPER_FDS_MAX ? strdup(name) : NULL;
    if (!copy) {
        close(fd);
        return false;
    }
    stored[store_count++] = (struct stored){fd, copy};
    return true;
}

int store_fd(const char *name)
{
    const struct stored *named = find(name);
    return named ? named->fd : -1;
}

int store_take(const char *name)
{
    struct stored *old = find(name);
    if (!old)
        return -1;
    int fd = old->fd;
    free(old->name);
    *old = stored[--store_count];
    return fd;
}

bool store_remove(const char *name)
{
    int fd = store_take(name);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

// --- taking over --------------------------------------------------------------------------------

static bool environment_is_number(const char *variable, long expected)
{
    const char *text = getenv(variable);
    char *end;
    return text && *text && strtol(text, &end, 10) == expected && *end == '\0';
}

int store_adopt(void)
{
    char *names = getenv("LISTEN_FDNAMES");
    char *name;
    int fd = STORE_FIRST_FD;

    if (environment_is_number("LISTEN_FDS", 0))
        return 0;
    if (!names || !environment_is_number("LISTEN_PID", getpid()))
        return -1;
    while ((name = strsep(&names, ":")) != NULL) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
            return -1;
        if (!store_name_valid(name))
            close(fd);
        else
            store_put(name, fd);
        ++fd;
    }
    return environment_is_number("LISTEN_FDS", fd - STORE_FIRST_FD) ? store_count : -1;
}

// --- handing down -------------------------------------------------------------------------------

static int index_of_fd(int fd, int from)
{
    for (int i = from; i < store_count; ++i)
        if (stored[i].fd == fd)
            return i;
    return -1;
}

// Puts the i-th fd to its number. Who still needs that number moves away first.
static int place(int i)
{
    int target = STORE_FIRST_FD + i;
    int squatter;

    if (stored[i].fd == target)
        return fcntl(target, F_SETFD, 0);
    squatter = index_of_fd(target, i + 1);
    if (squatter >= 0) {
        int moved = fcntl(target, F_DUPFD_CLOEXEC, STORE_FIRST_FD + store_count);
        if (moved == -1)
            return -1;
        stored[squatter].fd = moved;
    }
    return dup2(stored[i].fd, target);
}

static int set_names(void)
{
    size_t size = 1;
    char *names, *end;

    for (int i = 0; i < store_count; ++i)
        size += strlen(stored[i].name) + 1;
    names = end = malloc(size);
    if (!names)
        return -1;
    for (int i = 0; i < store_count; ++i) {
        if (i > 0)
            *end++ = ':';
        end = stpcpy(end, stored[i].name);
    }
    return setenv("LISTEN_FDNAMES", names, 1);
}

static int set_number(const char *variable, long value)
{
    char text[24];
    snprintf(text, sizeof text, "%ld", value);
    return setenv(variable, text, 1);
}

int store_end(void)
{
    return STORE_FIRST_FD + store_count + 1; // one is the link
}

int store_hand_down(int link)
{
    static char link_name[] = FD_KEEPER;

    stored[store_count++] = (struct stored){link, link_name};
    for (int i = 0; i < store_count; ++i)
        if (place(i) == -1)
            return -1;
    if (set_number("LISTEN_FDS", store_count) == -1 || set_number("LISTEN_PID", getpid()) == -1)
        return -1;
    return set_names();
}
