// Makes and maps the state page; sums its columns.

#include "common/state_page.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/sealed_memory.h"

static uint32_t header_checksum(const struct state_page *page)
{
    return XXH32(page, offsetof(struct state_page, checksum), 0);
}

static int write_header(int fd, struct err *err)
{
    struct state_page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return err_set_errno(err, "state page");
    page->magic = STATE_MAGIC;
    page->version = STATE_VERSION;
    page->columns = STATE_COLUMNS;
    page->endpoints = STATE_ENDPOINTS;
    page->checksum = header_checksum(page);
    munmap(page, sizeof *page);
    return 0;
}

int state_page_create(struct err *err)
{
    int fd = sealed_memory_create("state", sizeof(struct state_page), err);
    if (fd == -1)
        return -1;
    if (write_header(fd, err) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

struct state_page *state_page_map(int fd, struct err *err)
{
    if (!sealed_memory_has_size(fd, sizeof(struct state_page))) {
        err_set(err, "state page: not of the size that this version uses");
        return NULL;
    }
    struct state_page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        err_set_errno(err, "state page");
        return NULL;
    }
    if (page->magic != STATE_MAGIC || page->version != STATE_VERSION ||
        page->columns != STATE_COLUMNS || page->endpoints != STATE_ENDPOINTS ||
        page->checksum != header_checksum(page)) {
        munmap(page, sizeof *page);
        err_set(err, "state page: another version or damaged");
        return NULL;
    }
    return page;
}

void state_page_unmap(struct state_page *page)
{
    if (page)
        munmap(page, sizeof *page);
}

void state_column_clear(struct state_page *page, size_t column)
{
    memset(&page->column[column], 0, sizeof page->column[column]);
}

uint64_t state_endpoint_in_flight(const struct state_page *page, size_t endpoint)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < STATE_COLUMNS; i++)
        sum += atomic_load_explicit(&page->column[i].endpoint_in_flight[endpoint],
                                    memory_order_relaxed);
    return sum;
}
