// Memory that cannot be had ends the process, here and nowhere else: whatever a peer can make us
// allocate is limited by whoever allocates it (see STYLE in docs/ARCHITECTURE.md).
#ifndef GW_COMMON_MEM_H
#define GW_COMMON_MEM_H

#include <stddef.h>

#include "common/err.h"

// As malloc, calloc, realloc, strdup, strndup, asprintf; never NULL. Released with free(3).
void *mem_alloc(size_t size);
void *mem_zalloc(size_t count, size_t size);
void *mem_realloc(void *old, size_t size);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t length);
char *mem_printf(const char *format, ...) GW_PRINTF(1, 2);

#endif
