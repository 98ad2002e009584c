// What the cache lives in: the segment (common/segment.h) as a memfd, and cache.sock's listening
// socket. The supervisor opens both once; the keeper holds them, so that neither the cache nor a
// waiting client is lost with a process. cachesvc gets the page to write, gateway workers to read.
#ifndef GW_SUPERVISOR_CACHE_PAGE_H
#define GW_SUPERVISOR_CACHE_PAGE_H

#include <stdint.h>

#include "common/err.h"

struct keeper_link;

struct cache_page {
    int write_fd, read_fd; // the page; -1: there is none
    int socket_fd;         // -1: not open
};

void cache_page_init(struct cache_page *page);

// Opens what is not open yet: takes over what an earlier supervisor left, or makes it. A page of
// another size is replaced by an empty one; what is in the old one is gone at once, also for who
// still reads it. -1 with err.
int cache_page_open(struct cache_page *page, uint64_t size, struct keeper_link *keeper,
                    struct err *err) GW_MUST_USE;

// Closes all of it, here and in the keeper, and removes the socket.
void cache_page_close(struct cache_page *page, struct keeper_link *keeper);

#endif
