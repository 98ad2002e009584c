// The page is opened with the supervisor, whoever comes first may count; the rest when metricsd is
// to run.

#include "metrics_memory.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/home.h"
#include "common/log.h"
#include "common/metrics_page.h"
#include "common/proto.h"
#include "common/sealed_memory.h"
#include "keeper_link.h"
#include "kept_socket.h"

void metrics_memory_init(struct metrics_memory *memory)
{
    *memory = (struct metrics_memory){.page_fd = -1, .history_fd = -1, .socket_fd = -1};
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int make_page(struct metrics_memory *memory, struct err *err)
{
    memory->page_fd = metrics_page_create(clock_wall_ms(), err);
    if (memory->page_fd == -1)
        return -1;
    memory->page = metrics_page_map(memory->page_fd, err);
    return memory->page ? 0 : -1;
}

int metrics_memory_open_page(struct metrics_memory *memory, struct keeper_link *keeper,
                             struct err *err)
{
    memory->page_fd = keeper_link_take(keeper, FD_METRICS);
    if (memory->page_fd >= 0)
        memory->page = metrics_page_map(memory->page_fd, err);
    if (memory->page_fd >= 0 && !memory->page) { // of an earlier version, perhaps
        log_warn("%s: replaced by an empty one", err->text);
        close_fd(&memory->page_fd);
    }
    if (memory->page_fd == -1 && make_page(memory, err) == -1)
        return -1;
    return keeper_link_store(keeper, FD_METRICS, memory->page_fd, err);
}

static int open_history(struct metrics_memory *memory, struct keeper_link *keeper, struct err *err)
{
    if (memory->history_fd == -1)
        memory->history_fd = keeper_link_take(keeper, FD_HISTORY);
    if (memory->history_fd >= 0 &&
        !sealed_memory_has_size(memory->history_fd, PROTO_HISTORY_SIZE)) {
        log_warn("history page: another size, it begins empty");
        close_fd(&memory->history_fd);
    }
    if (memory->history_fd == -1)
        memory->history_fd = sealed_memory_create("history", PROTO_HISTORY_SIZE, err);
    return memory->history_fd == -1
               ? -1
               : keeper_link_store(keeper, FD_HISTORY, memory->history_fd, err);
}

int metrics_memory_open_sidecar(struct metrics_memory *memory, struct keeper_link *keeper,
                                struct err *err)
{
    if (open_history(memory, keeper, err) == -1)
        return -1;
    return kept_socket_open(&memory->socket_fd, FD_METRICS_SOCKET, HOME_METRICS, keeper, err);
}

void metrics_memory_close_sidecar(struct metrics_memory *memory, struct keeper_link *keeper)
{
    if (memory->history_fd >= 0)
        keeper_link_remove(keeper, FD_HISTORY);
    close_fd(&memory->history_fd);
    kept_socket_close(&memory->socket_fd, FD_METRICS_SOCKET, HOME_METRICS, keeper);
}

void metrics_memory_close_page(struct metrics_memory *memory)
{
    metrics_page_unmap(memory->page);
    memory->page = NULL;
    close_fd(&memory->page_fd);
}
