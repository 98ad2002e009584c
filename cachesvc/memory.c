// A shared page or a private one.
#include "memory.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "common/log.h"

static int map(struct memory *memory, int fd, int flags, struct err *err)
{
    void *base = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (base == MAP_FAILED)
        return err_set_errno(err, "%llu bytes for the cache", (unsigned long long)memory->size);
    memory->base = base;
    return 0;
}

static int check_size(uint64_t size, struct err *err)
{
    if (size < SEGMENT_SIZE_MIN || size > SEGMENT_SIZE_MAX)
        return err_set(err, "the cache cannot have %llu bytes: from %llu to %llu it can",
                       (unsigned long long)size, (unsigned long long)SEGMENT_SIZE_MIN,
                       (unsigned long long)SEGMENT_SIZE_MAX);
    return 0;
}

int memory_map(struct memory *memory, int fd, struct err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return err_set_errno(err, "the cache's page");
    memory->size = (uint64_t)status.st_size;
    return check_size(memory->size, err) == 0 ? map(memory, fd, MAP_SHARED, err) : -1;
}

int memory_make(struct memory *memory, uint64_t size, struct err *err)
{
    memory->size = size;
    if (check_size(size, err) != 0)
        return -1;
    return map(memory, -1, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, err);
}

void memory_unmap(struct memory *memory)
{
    if (memory->base)
        munmap(memory->base, memory->size);
    memory->base = NULL;
}

struct store *memory_open_store(const struct memory *memory, uint64_t now_ms, struct err *err)
{
    struct store *store = store_open(memory->base, memory->size, now_ms, err);
    if (store)
        return store;
    log_warn("the cache begins empty: %s", err->text);
    store_wipe(memory->base, memory->size);
    return store_open(memory->base, memory->size, now_ms, err);
}
