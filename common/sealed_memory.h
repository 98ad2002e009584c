// Memory that outlives the processes that use it: memfds of a fixed size, handed down as
// descriptors.
#ifndef GW_COMMON_SEALED_MEMORY_H
#define GW_COMMON_SEALED_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

// A memfd of `size` zero bytes, close-on-exec, sealed against growing and shrinking: who has it
// mapped cannot be made to fault. `name` is for errors and /proc ("state": "state page: ...").
// Returns the fd or -1.
int sealed_memory_create(const char *name, uint64_t size, struct err *err) GW_MUST_USE;

// Whether fd (may be -1) is a file of this size.
bool sealed_memory_has_size(int fd, uint64_t size);

// The same memory by a descriptor that cannot be mapped for writing; the fd or -1. A seal against
// writing would bind the writer's successors too.
int sealed_memory_open_reader(int fd, const char *name, struct err *err) GW_MUST_USE;

#endif
