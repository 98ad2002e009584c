// metricsd's own memory (FD_HISTORY), which outlives it: what lies where.
#ifndef GW_METRICSD_MEMORY_H
#define GW_METRICSD_MEMORY_H

#include "common/err.h"
#include "history.h"
#include "windows.h"

struct memory {
    uint64_t magic;
    uint32_t version;
    uint32_t size; // of this struct
    struct windows windows;
    struct history history;
};

// Maps it; what another version has left there is cleared. Borrows fd. NULL with err.
struct memory *memory_map(int fd, struct err *err) GW_MUST_USE;
void memory_unmap(struct memory *memory); // NULL is allowed

#endif
