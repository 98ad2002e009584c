// The supervisor's end of the socket pair that the keeper made.
//
// Not its job: what the fds and the exits mean. The invariant: nothing here waits. What the pair
// does not take at once stands in `queue`, in order, with a duplicate of its fd, so that the caller
// may close its own.

#include "keeper_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/map.h"
#include "common/mem.h"
#include "common/proto.h"
#include "common/usock.h"
#include "file_limit.h"

enum { FIRST_FD = 3, PACKETS_A_TURN = 64, PACKET_MAX = 64, FINISH_LIMIT_MS = 2000 };

struct inherited {
    int fd; // -1: taken
    char *name;
};

struct packet {
    struct packet *next;
    int fd; // ours; -1: none
    char text[];
};

struct keeper_link {
    uv_poll_t poll; // initialised when fd >= 0
    const struct keeper_link_events *events;
    void *context;
    int fd; // -1: there is no keeper
    bool lost;
    bool closing;
    struct inherited *inherited;
    size_t count;
    struct packet *queue;
    struct packet **queue_end;
    struct map *stored; // name -> our fd + 1, for a keeper that we may have to become
};

// --- inherited fds ------------------------------------------------------------------------------

static bool environment_number(const char *variable, long *value)
{
    const char *text = getenv(variable);
    char *end;
    if (!text || !*text)
        return false;
    *value = strtol(text, &end, 10);
    return *end == '\0';
}

static void add_inherited(struct keeper_link *link, int fd, const char *name)
{
    link->inherited = mem_realloc(link->inherited, (link->count + 1) * sizeof *link->inherited);
    link->inherited[link->count++] = (struct inherited){fd, mem_strdup(name)};
}

static int collect(struct keeper_link *link, long count, char *names, struct err *err)
{
    char *name;
    int fd = FIRST_FD;

    while (fd - FIRST_FD < count && (name = strsep(&names, ":")) != NULL) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
            return err_set_errno(err, "inherited fd %d (%s)", fd, name);
        add_inherited(link, fd++, name);
    }
    if ((names && *names) || (long)link->count != count)
        return err_set(err, "LISTEN_FDNAMES has not the %ld names that LISTEN_FDS says", count);
    return 0;
}

static int inherit(struct keeper_link *link, struct err *err)
{
    long pid, count = 0;
    const char *names = getenv("LISTEN_FDNAMES");
    char *copy;
    int result;

    // Another pid: they were meant for a parent of ours, and the fds are not here.
    if (!environment_number("LISTEN_PID", &pid) || pid != getpid())
        return 0;
    if (!environment_number("LISTEN_FDS", &count) || count < 0 || !names)
        return err_set(err, "LISTEN_FDS and LISTEN_FDNAMES do not fit together");
    copy = mem_strdup(names);
    result = collect(link, count, copy, err);
    free(copy);
    return result;
}

static void forget_environment(void)
{
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

int keeper_link_take(struct keeper_link *link, const char *name)
{
    for (size_t i = 0; i < link->count; ++i) {
        int fd = link->inherited[i].fd;
        if (fd >= 0 && strcmp(link->inherited[i].name, name) == 0) {
            link->inherited[i].fd = -1;
            if (strcmp(name, FD_KEEPER) != 0) // the keeper has it, and one that we become has to
                map_put(link->stored, name, (void *)((intptr_t)fd + 1));
            return fd;
        }
    }
    return -1;
}

const char *keeper_link_next(const struct keeper_link *link, const char *prefix, size_t *cursor)
{
    size_t length = strlen(prefix);
    while (*cursor < link->count) {
        const struct inherited *inherited = &link->inherited[(*cursor)++];
        if (inherited->fd >= 0 && strncmp(inherited->name, prefix, length) == 0)
            return inherited->name;
    }
    return NULL;
}

static void close_inherited(struct inherited *inherited)
{
    if (inherited->fd >= 0)
        close(inherited->fd);
    inherited->fd = -1;
}

void keeper_link_discard_rest(struct keeper_link *link)
{
    for (size_t i = 0; i < link->count; ++i) {
        struct inherited *inherited = &link->inherited[i];
        if (inherited->fd < 0)
            continue;
        log_info("keeper: nobody wants %s any more", inherited->name);
        close_inherited(inherited);
        keeper_link_remove(link, inherited->name);
    }
}

// --- the socket: in -----------------------------------------------------------------------------

static void on_packet(struct keeper_link *link, const char *text)
{
    int pid, status, end = 0;

    if (sscanf(text, "EXIT %d %d%n", &pid, &status, &end) != 2 || text[end] != '\0' || pid <= 0)
        log_warn("keeper: unknown packet ignored: %s", text);
    else
        link->events->on_exit(link->context, pid, status);
}

static void free_queue(struct keeper_link *link)
{
    while (link->queue) {
        struct packet *packet = link->queue;
        link->queue = packet->next;
        if (packet->fd >= 0)
            close(packet->fd);
        free(packet);
    }
    link->queue_end = &link->queue;
}

// The fd stays open until the handle is closed: its number must not mean something else while
// libuv's poll handle still has it.
static void lose(struct keeper_link *link)
{
    link->lost = true;
    uv_poll_stop(&link->poll);
    free_queue(link);
    link->events->on_lost(link->context);
}

static void receive(struct keeper_link *link)
{
    char text[PACKET_MAX + 1];

    for (int i = 0; i < PACKETS_A_TURN && !link->closing; ++i) {
        ssize_t length = recv(link->fd, text, PACKET_MAX, MSG_DONTWAIT);
        if (length == -1 && errno == EINTR)
            continue;
        if (length == -1 && errno == EAGAIN)
            return;
        if (length <= 0) {
            lose(link);
            return;
        }
        text[length] = '\0';
        on_packet(link, text);
    }
}

// --- the socket: out ----------------------------------------------------------------------------

// false: not now. A packet that can never be sent is dropped with a log line.
static bool send_packet(struct keeper_link *link, const char *text, int fd)
{
    struct err err;

    if (usock_send(link->fd, text, strlen(text), &fd, fd >= 0 ? 1 : 0, &err) == 0)
        return true;
    if (errno == EAGAIN || errno == ENOBUFS)
        return false;
    if (errno != EPIPE && errno != ECONNRESET) // a dead keeper is noticed by reading
        log_error("keeper: %s: %s", text, err.text);
    return true;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct keeper_link *link)
{
    uv_poll_start(&link->poll, link->queue ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_poll);
}

static void flush(struct keeper_link *link)
{
    while (link->queue && send_packet(link, link->queue->text, link->queue->fd)) {
        struct packet *sent = link->queue;
        link->queue = sent->next;
        if (sent->fd >= 0)
            close(sent->fd);
        free(sent);
    }
    if (!link->queue)
        link->queue_end = &link->queue;
    watch(link);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct keeper_link *link = poll->data;

    if (status < 0 || events & UV_READABLE)
        receive(link);
    if (!link->lost && !link->closing && events & UV_WRITABLE)
        flush(link);
}

static int send_or_queue(struct keeper_link *link, const char *text, int fd, struct err *err)
{
    size_t size = strlen(text) + 1;
    struct packet *packet;
    int copy = -1;

    if (!link->queue && send_packet(link, text, fd))
        return 0;
    if (fd >= 0 && (copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
        return err_set_errno(err, "dup");
    packet = mem_alloc(sizeof *packet + size);
    packet->next = NULL;
    packet->fd = copy;
    memcpy(packet->text, text, size);
    *link->queue_end = packet;
    link->queue_end = &packet->next;
    watch(link);
    return 0;
}

// --- public -------------------------------------------------------------------------------------

static void free_link(struct keeper_link *link)
{
    for (size_t i = 0; i < link->count; ++i) {
        close_inherited(&link->inherited[i]);
        free(link->inherited[i].name);
    }
    free(link->inherited);
    free_queue(link);
    map_free(link->stored, NULL);
    free(link);
}

struct keeper_link *keeper_link_open(uv_loop_t *loop, const struct keeper_link_events *events,
                                     void *context, struct err *err)
{
    struct keeper_link *link = mem_zalloc(1, sizeof *link);
    int result = inherit(link, err);

    forget_environment();
    link->stored = map_new();
    link->queue_end = &link->queue;
    if (result == -1) {
        free_link(link);
        return NULL;
    }
    link->events = events;
    link->context = context;
    link->fd = keeper_link_take(link, FD_KEEPER);
    if (link->fd < 0)
        return link;
    if ((result = uv_poll_init(loop, &link->poll, link->fd)) != 0) {
        err_set(err, "keeper: %s", uv_strerror(result));
        close(link->fd);
        free_link(link);
        return NULL;
    }
    link->poll.data = link;
    watch(link);
    return link;
}

static void on_closed(uv_handle_t *handle)
{
    free_link(handle->data);
}

void keeper_link_close(struct keeper_link *link)
{
    if (!link || link->closing)
        return;
    link->closing = true;
    if (link->fd < 0) {
        free_link(link);
        return;
    }
    uv_close((uv_handle_t *)&link->poll, on_closed);
    close(link->fd);
}

void keeper_link_finish(struct keeper_link *link)
{
    struct pollfd keeper = {.fd = link->fd, .events = POLLOUT};
    while (keeper_link_connected(link) && link->queue && poll(&keeper, 1, FINISH_LIMIT_MS) > 0)
        flush(link);
}

bool keeper_link_connected(const struct keeper_link *link)
{
    return link->fd >= 0 && !link->lost && !link->closing;
}

static bool name_valid(const char *name)
{
    size_t length = strlen(name);
    for (const char *c = name; *c; ++c)
        if (*c <= ' ' || *c > '~' || *c == ':')
            return false;
    return length > 0 && length <= KEEPER_NAME_MAX;
}

int keeper_link_store(struct keeper_link *link, const char *name, int fd, struct err *err)
{
    char text[KEEPER_NAME_MAX + 32];

    if (!name_valid(name))
        return err_set(err, "\"%.80s\" is no name for a file descriptor", name);
    if (fcntl(fd, F_GETFD) == -1)
        return err_set_errno(err, "%s: fd %d", name, fd);
    map_put(link->stored, name, (void *)((intptr_t)fd + 1));
    if (!keeper_link_connected(link))
        return 0;
    snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s", name);
    return send_or_queue(link, text, fd, err);
}

void keeper_link_remove(struct keeper_link *link, const char *name)
{
    char text[KEEPER_NAME_MAX + 32];
    struct err err;

    map_remove(link->stored, name);
    if (!keeper_link_connected(link) || !name_valid(name))
        return;
    snprintf(text, sizeof text, "FDSTOREREMOVE=1\nFDNAME=%s", name);
    if (send_or_queue(link, text, -1, &err) == -1)
        log_error("keeper: %s", err.text); // cannot happen: there is no fd to duplicate
}

int keeper_link_update(struct keeper_link *link, struct err *err)
{
    if (!keeper_link_connected(link))
        return err_set(err, "this supervisor has no keeper that could start another one");
    return send_or_queue(link, "UPDATE=1", -1, err);
}

// --- becoming a keeper --------------------------------------------------------------------------

// Copies above the final numbers first, so that none overwrites another.
static int move_fds(const struct keeper_link *link, struct buf *names, struct err *err)
{
    size_t count = map_count(link->stored), cursor = 0;
    int *copies = mem_zalloc(count, sizeof *copies);
    const char *name;
    void *fd;

    for (size_t i = 0; (name = map_next(link->stored, &cursor, &fd)) != NULL; i++) {
        copies[i] = fcntl((int)((intptr_t)fd - 1), F_DUPFD_CLOEXEC, FIRST_FD + (int)count);
        buf_printf(names, "%s%s", i > 0 ? ":" : "", name);
        if (copies[i] == -1) {
            err_set_errno(err, "%s", name);
            free(copies);
            return -1;
        }
    }
    for (size_t i = 0; i < count; i++)
        dup2(copies[i], FIRST_FD + (int)i);
    free(copies);
    return 0;
}

int keeper_link_become_keeper(struct keeper_link *link, const char *keeper, const char *supervisor,
                              struct err *err)
{
    struct buf names = BUF_INIT;
    char number[16];

    if (access(keeper, X_OK) == -1)
        return err_set_errno(err, "%s", keeper);
    if (move_fds(link, &names, err) == -1)
        return -1;
    setenv("LISTEN_FDNAMES", buf_text(&names), 1);
    snprintf(number, sizeof number, "%zu", map_count(link->stored));
    setenv("LISTEN_FDS", number, 1);
    snprintf(number, sizeof number, "%d", (int)getpid());
    setenv("LISTEN_PID", number, 1);
    file_limit_restore(); // it hands on what it finds
    execl(keeper, "gw-keeper", "--adopt", "--", supervisor, (char *)NULL);
    err_set_errno(err, "%s", keeper);
    file_limit_raise();
    return -1;
}
