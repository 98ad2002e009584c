// The page is made once, of the size that the settings say, and taken over by later supervisors.

#include "cache_page.h"

#include <sys/mman.h>
#include <unistd.h>

#include "common/home.h"
#include "common/log.h"
#include "common/proto.h"
#include "common/sealed_memory.h"
#include "common/segment.h"
#include "keeper_link.h"
#include "kept_socket.h"

void cache_page_init(struct cache_page *page)
{
    *page = (struct cache_page){-1, -1, -1};
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void drop_page(struct cache_page *page)
{
    close_fd(&page->write_fd);
    close_fd(&page->read_fd);
}

// For readers that have it mapped: nothing in it is of their generation any more.
static void empty_page(int fd)
{
    struct segment_header *header =
        mmap(NULL, sizeof *header, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (header == MAP_FAILED)
        return;
    atomic_fetch_add(&header->generation, 1);
    munmap(header, sizeof *header);
}

static int open_page(struct cache_page *page, uint64_t size, struct keeper_link *keeper,
                     struct err *err)
{
    if (page->write_fd == -1)
        page->write_fd = keeper_link_take(keeper, FD_CACHE);
    if (page->write_fd >= 0 && !sealed_memory_has_size(page->write_fd, size)) {
        log_info("cachesvc: another size, the cache begins empty");
        empty_page(page->write_fd);
        drop_page(page);
    }
    if (page->write_fd == -1)
        page->write_fd = sealed_memory_create("cache", size, err);
    if (page->write_fd == -1)
        return -1;
    if (page->read_fd == -1)
        page->read_fd = sealed_memory_open_reader(page->write_fd, "cache", err);
    return page->read_fd == -1 ? -1 : keeper_link_store(keeper, FD_CACHE, page->write_fd, err);
}

int cache_page_open(struct cache_page *page, uint64_t size, struct keeper_link *keeper,
                    struct err *err)
{
    if (open_page(page, size, keeper, err) == -1)
        return -1;
    return kept_socket_open(&page->socket_fd, FD_CACHE_SOCKET, HOME_CACHE, keeper, err);
}

void cache_page_close(struct cache_page *page, struct keeper_link *keeper)
{
    if (page->write_fd >= 0) {
        empty_page(page->write_fd);
        keeper_link_remove(keeper, FD_CACHE);
    }
    drop_page(page);
    kept_socket_close(&page->socket_fd, FD_CACHE_SOCKET, HOME_CACHE, keeper);
}
