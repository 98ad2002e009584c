// The memory that the cache lives in.
#ifndef GW_CACHESVC_MEMORY_H
#define GW_CACHESVC_MEMORY_H

#include <stdint.h>

#include "common/err.h"
#include "store.h"

struct memory {
    void *base; // NULL: not mapped
    uint64_t size;
};

// Maps the page that was inherited, and borrows fd; or makes one that ends with this process.
int memory_map(struct memory *memory, int fd, struct err *err) GW_MUST_USE;
int memory_make(struct memory *memory, uint64_t size, struct err *err) GW_MUST_USE;
void memory_unmap(struct memory *memory);

// The store in it. One that cannot be taken up (another version's, damaged) is lost: the cache
// begins anew, which is logged. NULL with err: the memory is too small or too large.
struct store *memory_open_store(const struct memory *memory, uint64_t now_ms,
                                struct err *err) GW_MUST_USE;

#endif
