// The memory is of PROTO_HISTORY_SIZE bytes and all zero when it is new.
#include "memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/layout.h"
#include "common/log.h"
#include "common/proto.h"

#define MEMORY_MAGIC UINT64_C(0x315453494854454d) // "METHIST1"
#define MEMORY_VERSION LAYOUT_VERSION(1)

_Static_assert(sizeof(struct memory) <= PROTO_HISTORY_SIZE, "the memory is too small");

static bool is_ours(const struct memory *memory)
{
    return memory->magic == MEMORY_MAGIC && memory->version == MEMORY_VERSION &&
           memory->size == sizeof *memory;
}

struct memory *memory_map(int fd, struct err *err)
{
    struct stat stat;
    if (fstat(fd, &stat) == -1 || (size_t)stat.st_size < sizeof(struct memory)) {
        err_set(err, "history: the memory is too small");
        return NULL;
    }
    struct memory *memory = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        err_set_errno(err, "history");
        return NULL;
    }
    if (is_ours(memory))
        return memory;
    if (memory->magic != 0)
        log_warn("history: of another version, or damaged; it begins anew");
    memset(memory, 0, sizeof *memory);
    memory->version = MEMORY_VERSION;
    memory->size = sizeof *memory;
    memory->magic = MEMORY_MAGIC;
    return memory;
}

void memory_unmap(struct memory *memory)
{
    if (memory)
        munmap(memory, sizeof *memory);
}
