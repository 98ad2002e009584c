// The memfd is sealed against growing and shrinking: who has it mapped cannot be made to fault.

#include "cache_page.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/home.h"
#include "common/log.h"
#include "common/proto.h"
#include "common/segment.h"
#include "common/usock.h"
#include "keeper_link.h"

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

static int make_page(uint64_t size, struct err *err)
{
    int fd = memfd_create("gwctl-cache", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd == -1)
        return err_set_errno(err, "cache page");
    if (ftruncate(fd, (off_t)size) == -1 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == -1) {
        err_set_errno(err, "cache page of %llu bytes", (unsigned long long)size);
        close(fd);
        return -1;
    }
    return fd;
}

// F_SEAL_FUTURE_WRITE would bind cachesvc's successor too; a descriptor opened anew for reading
// does not let a worker write.
static int open_read_only(int fd, struct err *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int read_fd = open(path, O_RDONLY | O_CLOEXEC);
    return read_fd == -1 ? err_set_errno(err, "cache page") : read_fd;
}

static bool has_size(int fd, uint64_t size)
{
    struct stat stat;
    return fd >= 0 && fstat(fd, &stat) == 0 && (uint64_t)stat.st_size == size;
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
    if (page->write_fd >= 0 && !has_size(page->write_fd, size)) {
        log_info("cachesvc: another size, the cache begins empty");
        empty_page(page->write_fd);
        drop_page(page);
    }
    if (page->write_fd == -1)
        page->write_fd = make_page(size, err);
    if (page->write_fd == -1)
        return -1;
    if (page->read_fd == -1)
        page->read_fd = open_read_only(page->write_fd, err);
    return page->read_fd == -1 ? -1 : keeper_link_store(keeper, FD_CACHE, page->write_fd, err);
}

int cache_page_open(struct cache_page *page, uint64_t size, struct keeper_link *keeper,
                    struct err *err)
{
    if (open_page(page, size, keeper, err) == -1)
        return -1;
    if (page->socket_fd == -1)
        page->socket_fd = keeper_link_take(keeper, FD_CACHE_SOCKET);
    if (page->socket_fd == -1)
        page->socket_fd = usock_listen(home_path(HOME_CACHE), err);
    return page->socket_fd == -1 ? -1
                                 : keeper_link_store(keeper, FD_CACHE_SOCKET, page->socket_fd, err);
}

void cache_page_close(struct cache_page *page, struct keeper_link *keeper)
{
    if (page->write_fd >= 0) {
        empty_page(page->write_fd);
        keeper_link_remove(keeper, FD_CACHE);
    }
    if (page->socket_fd >= 0) {
        keeper_link_remove(keeper, FD_CACHE_SOCKET);
        unlink(home_path(HOME_CACHE));
    }
    drop_page(page);
    close_fd(&page->socket_fd);
}
